-- A row that is compressed to less than 2 kB stays in one piece; one that is not is cut into several,
-- each with an index entry of its own. The quicker method is worth it, the slower one is not.
do $$
begin
    alter table outbox
        alter column event set compression lz4,
        alter column timeline set compression lz4,
        alter column customer set compression lz4;
    alter table outbox
        alter column event set storage extended,
        alter column timeline set storage extended,
        alter column customer set storage extended;
exception when others then
    raise notice 'this server has no lz4; rows of the outbox are not compressed';
end $$;

-- A state is written anew with every version: where its page has room, no index is touched.
alter table timelines set (fillfactor = 60);
