-- Clients that somebody has chosen to survive the merges of whatever cluster they are in; the newest choice counts.
create table control.chosen_survivors (
    source varchar not null,
    id varchar not null,
    author varchar not null,
    reason varchar not null,
    chosen_at timestamp with time zone not null
)
