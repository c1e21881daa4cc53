-- When that run began by the clock of the machine that ran it: the two clocks show whether the server's has gone back.
alter table control.watermarks add column local_began_at timestamp with time zone
