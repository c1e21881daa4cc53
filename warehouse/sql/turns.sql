-- Turns at a host for several machines.

-- :name pause
-- Pause a host: no turn for this many seconds from now. A longer pause stays. Postgres only.
insert into control.host_turns as t (host, due_at, paused_until)
select $host, p.until, p.until from (select clock_timestamp() + make_interval(secs => $seconds) as until) as p
on conflict (host) do update set
    due_at = greatest(t.due_at, excluded.due_at), paused_until = greatest(t.paused_until, excluded.paused_until)
returning t.paused_until

-- :name paused
-- Return a row if a host is paused now, else none. Postgres only.
select paused_until from control.host_turns
where host = $host
    and paused_until between clock_timestamp() and clock_timestamp() + make_interval(secs => $longest)

-- :name take
-- Take the next turn at a host; return the seconds until it is due, by the database's clock. Postgres only.
-- A host that has rested gives a burst of turns at once: $rest is the interval times (burst - 1). A turn further away
-- than $longest seconds does not count: it comes from a clock that somebody has set back since.
insert into control.host_turns as t (host, due_at)
values ($host, clock_timestamp() - make_interval(secs => $rest) + make_interval(secs => $interval))
on conflict (host) do update set due_at = make_interval(secs => $interval) + greatest(
    clock_timestamp() - make_interval(secs => $rest),
    case when t.due_at <= clock_timestamp() + make_interval(secs => $longest) then t.due_at else clock_timestamp() end
)
returning extract(epoch from t.due_at - make_interval(secs => $interval) - clock_timestamp())
