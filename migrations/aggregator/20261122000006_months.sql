-- Events lie in one partition for each month in which their orders were first heard of: all events
-- of an order lie together, a batch touches a partition or two, and what is old enough goes by
-- dropping a table.
alter table orders add column month date not null default date_trunc('month', now())::date;
update orders set month = date_trunc('month', created_at)::date;
create index orders_month on orders (month);

alter table events rename to events_before;
alter table events_before rename constraint events_pkey to events_before_pkey;
create table events (
    order_id    text not null,
    key         text not null,
    milestone   text not null,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    event       json not null,
    topic       text,
    partition   integer,
    position    bigint,
    -- The order's month.
    month       date not null,
    primary key (order_id, key, month)
) partition by range (month);
-- Nothing is ever refused for want of a partition.
create table events_other partition of events default;

-- Makes the partition of a month, unless it is there; tells whether it did. A month that the
-- catch-all has rows of stays there.
create function make_month(month_of date) returns boolean language plpgsql as $$
declare
    first date := date_trunc('month', month_of)::date;
    name text := 'events_' || to_char(first, 'YYYY_MM');
begin
    perform pg_advisory_xact_lock(hashtext('make_month'));
    if to_regclass(name) is not null or exists (select from events_other where month = first) then
        return false;
    end if;
    execute format('create table %I partition of events for values from (%L) to (%L)', name, first,
        (first + interval '1 month')::date);
    return true;
end $$;

-- Drops what is left of a month whose orders are forgotten.
create function drop_month(old date) returns void language plpgsql as $$
begin
    -- Who works on events does not wait long for us; we come again.
    set local lock_timeout = '2s';
    delete from events_other where month = old;
    execute format('drop table if exists %I', 'events_' || to_char(old, 'YYYY_MM'));
end $$;

select make_month((now() + make_interval(months => n))::date) from generate_series(0, 2) as n;
select make_month(m) from (
    select distinct coalesce(o.month, date_trunc('month', e.received_at)::date) as m
    from events_before e left join orders o using (order_id)) as months;
insert into events
select e.order_id, e.key, e.milestone, e.occurred_at, e.received_at, e.event::json, e.topic, e.partition,
       e.position, coalesce(o.month, date_trunc('month', e.received_at)::date)
from events_before e left join orders o using (order_id);
drop table events_before;
