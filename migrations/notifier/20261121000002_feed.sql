-- The in-app feed.
create table feed (
    id              uuid primary key,
    customer_id     text not null,
    order_id        text not null,
    milestone       text not null,
    title           text not null,
    body            text not null,
    created_at      timestamptz not null,
    read_at         timestamptz
);
create index feed_customer on feed (customer_id, id desc);
create index feed_unread on feed (customer_id) where read_at is null;

-- The version of each feed, and how far it was published on the live bus.
create table feed_heads (
    customer_id     text primary key,
    version         bigint not null,
    published       bigint not null default 0
);
create index feed_heads_open on feed_heads (customer_id) where published < version;
