-- The merges of a plan, in their order: what each expects and rescues (`told`), how far it has come (planned, checked,
-- rescued, merged, done), and where the backup of both clients is.
create table control.merge_steps (
    source varchar not null,
    plan_id varchar not null,
    place bigint not null,
    survivor_id varchar not null,
    mergeable_id varchar not null,
    told json not null,
    state varchar not null,
    backup varchar,
    noted_at timestamp with time zone
)
