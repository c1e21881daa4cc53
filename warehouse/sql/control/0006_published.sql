-- What the published copy shows: one row, written when all its files are in place.
create table control.published (
    run_id varchar,
    changed_runs bigint not null,
    published_at timestamp with time zone not null
)
