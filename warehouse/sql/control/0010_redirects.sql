-- Clients that vanished from the server: gone, purged, or merged into another one, by which evidence.
-- `vanished_at` is when the last version ended, `returned_run_id` is NULL while the client is away.
create table control.redirects (
    source varchar not null,
    id varchar not null,
    kind varchar not null,
    into_id varchar,
    evidence varchar not null,
    run_id varchar not null,
    vanished_at timestamp with time zone not null,
    returned_run_id varchar
)
