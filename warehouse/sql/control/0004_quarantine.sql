-- Records that could not be stored as they came, with the reason; open until a good version arrives.
create table control.quarantine (
    source varchar not null,
    entity varchar not null,
    id varchar not null,
    field varchar not null,
    reason varchar not null,
    record json,
    first_run_id varchar not null,
    last_run_id varchar not null,
    resolved_run_id varchar
)
