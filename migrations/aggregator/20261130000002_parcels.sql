-- What calls its order by a name that nobody told may be known by its parcel's number.
alter table parked add column parcel text;
create index parked_parcel on parked (parcel) where parcel is not null;
