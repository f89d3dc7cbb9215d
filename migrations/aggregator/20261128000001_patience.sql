-- A partition is made two months ahead, and takes a lock that whoever stores events would wait behind: not
-- behind a dump of hours, but an hour later.
alter function make_month(date) set lock_timeout = '2s';
