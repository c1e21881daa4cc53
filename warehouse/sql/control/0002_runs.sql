-- Every run that ended in this warehouse; an idle run is one row with kind 'idle', the heartbeat.
create table control.runs (
    run_id varchar primary key,
    source varchar not null,
    kind varchar not null,
    began_at timestamp with time zone not null,
    finished_at timestamp with time zone not null,
    seconds decimal(12, 3) not null,
    requests bigint not null,
    received bigint not null,
    inserted bigint not null,
    updated bigint not null,
    touched bigint not null,
    unchanged bigint not null,
    quarantined bigint not null,
    quarantine_open bigint not null,
    changed boolean not null,
    server_total bigint,
    mirrored bigint,
    server_version varchar,
    notes json not null
)
