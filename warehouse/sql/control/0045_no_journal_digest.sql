-- The other column of the chain.
alter table control.journal drop column digest
