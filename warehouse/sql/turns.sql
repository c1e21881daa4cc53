-- Taking turns at a host.

-- :name pause
-- No turn at a host for so many seconds from now, and none that was to come before; never shortened. Postgres only.
insert into control.host_turns as t (host, due_at, paused_until)
select $host, p.until, p.until from (select clock_timestamp() + make_interval(secs => $seconds) as until) as p
on conflict (host) do update set
    due_at = greatest(t.due_at, excluded.due_at), paused_until = greatest(t.paused_until, excluded.paused_until)
returning t.paused_until

-- :name paused
-- Whether nobody is to ask a host now: one row, or none. Postgres only.
select paused_until from control.host_turns
where host = $host
    and paused_until between clock_timestamp() and clock_timestamp() + make_interval(secs => $longest)

-- :name take
-- The next turn at a host, taken: in how many seconds it is due, by the database's clock. Postgres only.
-- A host that has rested gives some turns at once: $rest is the interval times all of them but one. A turn that is
-- further away than $longest seconds was given by a clock that has been set back since, and counts no more.
insert into control.host_turns as t (host, due_at)
values ($host, clock_timestamp() - make_interval(secs => $rest) + make_interval(secs => $interval))
on conflict (host) do update set due_at = make_interval(secs => $interval) + greatest(
    clock_timestamp() - make_interval(secs => $rest),
    case when t.due_at <= clock_timestamp() + make_interval(secs => $longest) then t.due_at else clock_timestamp() end
)
returning extract(epoch from t.due_at - make_interval(secs => $interval) - clock_timestamp())
