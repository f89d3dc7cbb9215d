-- Where an event's record stands in the log, so that an operator finds it untouched.
alter table events
    add column topic     text,
    add column partition integer,
    add column position  bigint;

-- A refused record keeps its headers (who signed it is one of them), so that it can be driven
-- again as it was.
alter table dead_letters
    add column headers     jsonb not null default '{}',
    add column replayed_at timestamptz;
create index dead_letters_open on dead_letters (source, reason, id) where replayed_at is null;

-- Refused records being driven again: how far, and whether to go on.
create table replays (
    id         uuid primary key,
    source     text,
    reason     text,
    up_to      bigint not null,
    at         bigint not null default 0,
    total      bigint not null,
    done       bigint not null default 0,
    state      text not null default 'running' check (state in ('running', 'stopped', 'finished')),
    created_at timestamptz not null default now()
);

-- Codes of vendors that no table knows.
create table unmapped (
    source   text not null,
    code     text not null,
    seen     bigint not null,
    first_at timestamptz not null,
    last_at  timestamptz not null,
    primary key (source, code)
);

-- Added to the number of accepted events to make a version. Raised after a restore of an older
-- database, so that every version is above what was ever published.
alter table orders add column version_base bigint not null default 0;

-- Long walks over all orders: how far they are, so that they can be gone on with.
create table walks (
    name       text primary key,
    after      text not null default '',
    seen       bigint not null default 0,
    changed    bigint not null default 0,
    base       bigint not null default 0,
    updated_at timestamptz not null default now()
);
