-- Orders that stand still for longer than their stage should take, and whose turn it is.
create table silent (
    order_id text primary key,
    stage    text not null,
    owner    text not null,
    since    timestamptz not null,
    noted_at timestamptz not null default now()
);
create index silent_since on silent (since, order_id);
