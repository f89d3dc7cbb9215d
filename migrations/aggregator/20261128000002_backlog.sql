-- What an operator asks of one order, and what is forgotten: a record that was refused anew is as young as that.
-- First: batches refuse before they store anything else.
alter table dead_letters add column refused_at timestamptz not null default now();
create index dead_letters_order on dead_letters (order_id) where order_id is not null;
create index dead_letters_refused on dead_letters (refused_at) where published;

-- When an aggregator last had a backlog to read: while one has, none says what the clock alone makes true.
create table backlog (
    one bool primary key default true check (one),
    at  timestamptz not null
);
insert into backlog (at) values (now());

-- What is usual is read every ten seconds by the beginning of its name.
create index durations_name on durations (grp text_pattern_ops);
