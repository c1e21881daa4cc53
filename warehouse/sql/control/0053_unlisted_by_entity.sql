-- The kind of the records that a full check missed and kept.
alter table control.unlisted add column entity varchar default 'clients'
