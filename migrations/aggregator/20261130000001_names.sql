-- Lanes are dealt out in the order of these names, as Kafka deals out partitions: whoever reads an order's
-- records publishes its versions.
alter table publishers add column name text not null default '';
