-- The mirrored clients that the last full pass did not find in the server's list and left here, each with the reason:
-- held (they stay until somebody says how many may go) or hidden (this token may no longer see them).
create table control.unlisted (
    source varchar not null,
    id varchar not null,
    why varchar not null,
    since_run_id varchar not null
)
