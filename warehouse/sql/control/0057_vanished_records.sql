-- Records other than clients that vanished from the server: purged with their client, or gone, by which evidence.
-- `vanished_at` is when the last version ended. `returned_run_id` is NULL while the record is away. Nothing is merged into
-- another record, so `into_id` is NULL.
create table control.vanished_records (
    source varchar not null,
    entity varchar not null,
    id varchar not null,
    client_id varchar,
    kind varchar not null,
    into_id varchar,
    evidence varchar not null,
    run_id varchar not null,
    vanished_at timestamp with time zone not null,
    returned_run_id varchar
)
