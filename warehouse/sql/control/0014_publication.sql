-- How many seconds the publication took: what is dear is not done after each change.
alter table control.published add column seconds decimal(12, 3)
