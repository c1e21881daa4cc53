-- No turn at a host for so many seconds from now, and none that was to come before; never shortened. Postgres only.
insert into control.host_turns as t (host, due_at, paused_until)
select $host, p.until, p.until from (select clock_timestamp() + make_interval(secs => $seconds) as until) as p
on conflict (host) do update set
    due_at = greatest(t.due_at, excluded.due_at), paused_until = greatest(t.paused_until, excluded.paused_until)
returning t.paused_until
