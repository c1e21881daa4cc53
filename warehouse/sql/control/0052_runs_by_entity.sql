-- The kind of records that a run read. The entities that have not changed share one row, with the first of them.
alter table control.runs add column entity varchar default 'clients'
