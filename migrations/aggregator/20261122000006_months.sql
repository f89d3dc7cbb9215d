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

-- Makes the partitions of this month and of some months more; returns how many it made. A month
-- that the catch-all has rows of stays there.
create function make_months(ahead integer) returns integer language plpgsql as $$
declare
    first date := date_trunc('month', now())::date;
    made integer := 0;
    name text;
begin
    perform pg_advisory_xact_lock(hashtext('make_months'));
    for n in 0..ahead loop
        name := 'events_' || to_char(first + make_interval(months => n), 'YYYY_MM');
        if to_regclass(name) is null and not exists (
            select from events_other where month = (first + make_interval(months => n))::date
        ) then
            execute format('create table %I partition of events for values from (%L) to (%L)', name,
                (first + make_interval(months => n))::date,
                (first + make_interval(months => n + 1))::date);
            made := made + 1;
        end if;
    end loop;
    return made;
end $$;

-- Forgets the orders of a month with everything that is known of them; returns how many.
create function forget_month(old date) returns bigint language plpgsql as $$
declare
    forgotten bigint;
begin
    delete from timelines where order_id in (select order_id from orders where month = old);
    delete from aliases where order_id in (select order_id from orders where month = old);
    delete from silent where order_id in (select order_id from orders where month = old);
    delete from due where order_id in (select order_id from orders where month = old);
    delete from asks where order_id in (select order_id from orders where month = old);
    delete from orders where month = old;
    get diagnostics forgotten = row_count;
    delete from events_other where month = old;
    execute format('drop table if exists %I', 'events_' || to_char(old, 'YYYY_MM'));
    return forgotten;
end $$;

select make_months(2);
insert into events
select e.order_id, e.key, e.milestone, e.occurred_at, e.received_at, e.event::json, e.topic, e.partition,
       e.position, coalesce(o.month, date_trunc('month', e.received_at)::date)
from events_before e left join orders o using (order_id);
drop table events_before;
