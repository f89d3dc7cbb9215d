-- What becomes due by the clock alone: one row for each order and kind, moved by every fold.
create table due (
    order_id    text not null,
    kind        text not null,
    at          timestamptz not null,
    primary key (order_id, kind)
);
create index due_at on due (at);
