-- Pulls that failed: the exit code, and the reason without people's data. A run that ended well is in control.runs.
create table control.failed_pulls (
    source varchar not null,
    began_at timestamp with time zone not null,
    failed_at timestamp with time zone not null,
    exit_code bigint not null,
    message varchar not null
)
