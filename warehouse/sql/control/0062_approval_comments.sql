-- The comment that a person gives with an approval; NULL if there is none.
alter table control.approvals add column comment varchar
