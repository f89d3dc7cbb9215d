-- Messages of order.timeline that were planned: each once.
create table handled (
    order_id    text not null,
    version     bigint not null,
    handled_at  timestamptz not null default now(),
    primary key (order_id, version)
);

-- Something that a customer is told. The subject is order:<id>; nothing assumes that it always is.
create table notifications (
    id                  uuid primary key,
    subject             text not null,
    occasion            text not null,
    occasion_version    integer not null,
    place               smallint not null,
    customer_id         text not null,
    language            text not null,
    context             jsonb not null,
    created_at          timestamptz not null,
    deadline_at         timestamptz not null,
    unique (subject, occasion, occasion_version, customer_id)
);

-- One channel's part of it. `fence` grows with each claim: only its newest holder may write.
create table deliveries (
    id                  uuid primary key,
    notification_id     uuid not null references notifications,
    subject             text not null,
    occasion            text not null,
    occasion_version    integer not null,
    place               smallint not null,
    channel             text not null,
    recipient           text not null,
    state               text not null check (state in
                          ('pending', 'delivered', 'accepted', 'skipped', 'failed', 'expired', 'superseded')),
    reason              text,
    attempts            integer not null default 0,
    fence               integer not null default 0,
    next_at             timestamptz not null,
    leased_until        timestamptz,
    deadline_at         timestamptz not null,
    created_at          timestamptz not null,
    done_at             timestamptz,
    unique (subject, occasion, occasion_version, recipient, channel)
);
create index deliveries_due on deliveries (next_at) where state = 'pending';
create index deliveries_subject on deliveries (subject) where state = 'pending';

-- Every attempt and what came of it.
create table attempts (
    delivery_id     uuid not null references deliveries,
    number          integer not null,
    started_at      timestamptz not null,
    took_ms         integer not null,
    outcome         text not null,
    detail          text not null,
    primary key (delivery_id, number)
);

-- What customers chose; no row means that they were never asked.
create table preferences (
    customer_id     text not null,
    category        text not null,
    channel         text not null,
    allowed         boolean not null,
    primary key (customer_id, category, channel)
);
