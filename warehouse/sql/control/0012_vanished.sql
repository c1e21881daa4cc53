-- How many clients a run took out of the mirror because they had vanished from the server.
alter table control.runs add column vanished bigint default 0
