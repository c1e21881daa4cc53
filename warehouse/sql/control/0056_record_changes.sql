-- Each difference between a version of an invoice, payment or credit and the one before it, as texts for people.
create table control.record_changes (
    source varchar not null,
    entity varchar not null,
    id varchar not null,
    number varchar,
    field varchar not null,
    before varchar not null,
    after varchar not null,
    changed_at timestamp with time zone not null,
    observed_at timestamp with time zone not null,
    run_id varchar not null
)
