-- The views of `mart` as they were made, in that order: where their texts differ from ours, they are made anew.
create table control.views (
    place integer not null,
    name varchar not null,
    digest varchar not null
)
