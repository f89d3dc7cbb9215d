-- How long the newest finished orders took, by stage and by what they have in common: seconds,
-- oldest first. What is expected of an open order is drawn from these.
create table durations (
    grp        text primary key,
    seconds    integer[] not null,
    updated_at timestamptz not null default now()
);

-- A finished order teaches once.
alter table orders add column learned_at timestamptz;
