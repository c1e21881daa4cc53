-- What differs between each version of a client and the one before, field by field, as texts for people.
-- It is compared once, when the later version arrives: comparing it again would mean to read every record ever seen.
create table control.client_changes (
    source varchar not null,
    id varchar not null,
    display_name varchar,
    field varchar not null,
    before varchar not null,
    after varchar not null,
    changed_at timestamp with time zone not null,
    observed_at timestamp with time zone not null,
    run_id varchar not null
)
