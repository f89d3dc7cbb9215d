-- Orders that are known: who is told, and in which zone their days end.
create table orders (
    order_id    text primary key,
    customer    jsonb not null,
    -- When the customer was described so; an older description never replaces a newer one.
    customer_at timestamptz not null,
    created_at  timestamptz not null default now()
);

-- Every accepted event, once. `key` is source:id.
create table events (
    order_id    text not null,
    key         text not null,
    milestone   text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    event       jsonb not null,
    primary key (order_id, key)
);

-- The state snapshot of each order.
create table timelines (
    order_id    text primary key,
    version     bigint not null,
    status      text not null,
    document    jsonb not null,
    updated_at  timestamptz not null
);

-- Another name of an order: a tracking number, a payment's id.
create table aliases (
    alias       text primary key,
    order_id    text not null
);

-- Events that wait for their order, or for the alias that they name it by, to be known.
create table parked (
    key         text primary key,
    order_id    text,
    alias       text,
    draft       jsonb not null,
    parked_at   timestamptz not null,
    check ((order_id is null) <> (alias is null))
);
create index parked_order on parked (order_id) where order_id is not null;
create index parked_alias on parked (alias) where alias is not null;
create index parked_at on parked (parked_at);
