-- Those who publish: lanes are shared out among all of them, so one that holds none must be seen too.
create table publishers (
    owner       uuid primary key,
    until       timestamptz not null
);

-- Rows that both sides marked at the same moment are found without reading all others.
create index outbox_done on outbox (id) where redis_done and kafka_done;

-- What waits is written whole and read whole.
alter table parked alter column draft type json using draft::json;
