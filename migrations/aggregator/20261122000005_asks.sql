-- What other systems are asked about, and when next: a parcel of a carrier that calls nobody, a
-- delivery that somebody reported without signing.
create table asks (
    source     text not null,
    subject    text not null,
    order_id   text not null,
    stage      text not null,
    -- Seconds between two calls, before any back-off.
    interval_s bigint not null,
    -- Answers without news since the stage began.
    misses     integer not null default 0,
    -- SHA-256 of the answer that was taken last.
    digest     bytea,
    -- Next call; while one is under way, when it may be taken over.
    at         timestamptz not null,
    primary key (source, subject)
);
create index asks_at on asks (source, at);
create index asks_order on asks (order_id);
