-- The roles of Postgres that may read or wish: their rights are given anew after each upgrade, which makes the views anew.
create table control.grants (
    role varchar primary key,
    kind varchar not null,
    granted_at timestamp with time zone not null
)
