-- Plans of merges. `version` is the server's when it was made; `state` is planned, applying or applied.
create table control.merge_plans (
    source varchar not null,
    plan_id varchar not null,
    made_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    author varchar not null,
    reason varchar not null,
    company varchar not null,
    version varchar not null,
    digest varchar not null,
    state varchar not null,
    applied_at timestamp with time zone
)
