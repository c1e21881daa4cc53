-- The cells of a plan: one column of one client, its value when the plan was made and the one it gets.
create table control.plan_cells (
    source varchar not null,
    plan_id varchar not null,
    id varchar not null,
    field varchar not null,
    before json not null,
    after json not null,
    by_put boolean not null
)
