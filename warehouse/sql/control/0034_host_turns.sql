-- When the next request to a host is due, for all who share this warehouse, by the database's clock.
-- Nobody asks before `paused_until`: the host has answered that it gets too many requests.
create table control.host_turns (
    host varchar primary key,
    due_at timestamp with time zone not null,
    paused_until timestamp with time zone
)
