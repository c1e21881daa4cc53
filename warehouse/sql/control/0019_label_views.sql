-- The views that name custom fields as a company labels them, and from which labels each was made.
create table control.label_views (
    name varchar not null,
    digest varchar not null
)
