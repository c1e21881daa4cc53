-- Plans of what is to change on the server. `base_at` is the server's clock when its state was read, `company` the fingerprint
-- of the company that was read, `state` is planned, applying or applied. A plan is applied once, by whoever knows its digest.
create table control.plans (
    source varchar not null,
    plan_id varchar not null,
    made_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    base_at timestamp with time zone not null,
    newest_at timestamp with time zone not null,
    author varchar not null,
    reason varchar not null,
    company varchar not null,
    undoes varchar,
    digest varchar not null,
    state varchar not null,
    applied_at timestamp with time zone
)
