-- Up to where each entity of a source is known; moves only in the transaction that stores the rows.
create table control.watermarks (
    source varchar not null,
    entity varchar not null,
    watermark timestamp with time zone,
    newest_at timestamp with time zone,
    began_at timestamp with time zone not null,
    server_total bigint,
    run_id varchar not null,
    primary key (source, entity)
)
