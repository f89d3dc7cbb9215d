-- A tracking number comes back for another order once its first parcel is done: a name keeps its
-- history, and a scan belongs to the newest order that was placed before it.
alter table aliases add column told_at timestamptz not null default '-infinity';
alter table aliases drop constraint aliases_pkey;
alter table aliases add primary key (alias, order_id);

-- When the order was placed, by the shop's clock.
alter table orders add column placed_at timestamptz;
