-- Fields that the server sent and this version does not know, or no longer sends; each is reported once.
create table control.drift (
    source varchar not null,
    entity varchar not null,
    field varchar not null,
    kind varchar not null,
    run_id varchar not null,
    primary key (source, entity, field, kind)
)
