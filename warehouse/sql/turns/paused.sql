-- Whether nobody is to ask a host now: one row, or none. Postgres only.
select paused_until from control.host_turns
where host = $host
    and paused_until between clock_timestamp() and clock_timestamp() + make_interval(secs => $longest)
