-- What became of each cell of a plan that was applied: applied, conflict, refused, not applied, unknown.
create table control.outcomes (
    source varchar not null,
    plan_id varchar not null,
    id varchar not null,
    field varchar not null,
    outcome varchar not null,
    message varchar not null,
    noted_at timestamp with time zone not null
)
