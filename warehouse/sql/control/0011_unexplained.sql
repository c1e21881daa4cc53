-- By how much the totals of server and warehouse disagreed when the last full pass had explained what it could.
alter table control.watermarks add column unexplained bigint
