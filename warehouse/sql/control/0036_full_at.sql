-- When everything was last read, by the server's clock. The latest of all runs would be that of a clock that was ahead.
alter table control.watermarks add column full_at timestamp with time zone
