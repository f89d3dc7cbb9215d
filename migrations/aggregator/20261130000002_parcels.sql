-- What calls its order by a name that nobody told, or by what was noted on its parcel, may be known by the parcel's
-- number better.
alter table parked add column parcel text;
create index parked_parcel on parked (parcel) where parcel is not null;
-- What waits already, of makers, by a number of their own.
update parked
set parcel = 'tracking:' || upper(regexp_replace(draft -> 'data' ->> 'tracking_number', '\s', '', 'g')),
    draft = jsonb_set(draft::jsonb, '{or_parcel}', 'true')::json
where alias is not null and draft ->> 'source' in ('gelato', 'printful', 'printify')
  and draft -> 'data' ->> 'tracking_number' is not null;
