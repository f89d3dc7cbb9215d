-- no-transaction
-- Names go with their orders. Beside whoever tells names: the table is large.
create index concurrently if not exists aliases_order on aliases (order_id);
