-- States are written whole and read whole: as text, which nobody has to take apart and put
-- together again.
alter table timelines alter column document type json using document::json;

-- Rows of the outbox live for milliseconds: not worth compressing.
alter table outbox
    alter column event set storage external,
    alter column timeline set storage external,
    alter column customer set storage external;

-- What stays is compressed by the quicker method, where the server has it.
do $$
begin
    alter table timelines alter column document set compression lz4;
exception when others then
    raise notice 'this server has no lz4; pglz is used';
end $$;
