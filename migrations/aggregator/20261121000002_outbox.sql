-- One row for each version of each timeline, written in the transaction that made it.
-- Each side has its own mark and waits for no other; a row with both marks is deleted.
create table outbox (
    id              bigint generated always as identity primary key,
    lane            smallint not null,
    order_id        text not null,
    version         bigint not null,
    event           text not null,
    timeline        text not null,
    previous_status text,
    customer        text not null,
    traceparent     text,
    redis_done      boolean not null default false,
    kafka_done      boolean not null default false,
    created_at      timestamptz not null default clock_timestamp()
);
create index outbox_redis on outbox (lane, id) where not redis_done;
create index outbox_kafka on outbox (lane, id) where not kafka_done;

-- A lane has one owner at a time, so that the versions of an order leave in order.
create table lanes (
    lane        smallint primary key,
    owner       uuid,
    until       timestamptz not null default '-infinity'
);
insert into lanes (lane) select generate_series(0, 7);

-- Refused records, untouched, with the reason; published to the dead-letter topic.
create table dead_letters (
    id          bigint generated always as identity primary key,
    source      text not null,
    reason      text not null,
    detail      text not null,
    topic       text not null,
    partition   integer not null,
    position    bigint not null,
    order_id    text,
    value       bytea not null,
    received_at timestamptz not null,
    published   boolean not null default false,
    unique (topic, partition, position)
);
create index dead_letters_unpublished on dead_letters (id) where not published;
