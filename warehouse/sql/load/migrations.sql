-- The migrations that this warehouse has had, with a digest of their texts.
create table if not exists control.migrations (
    number integer, name varchar, digest varchar, applied_at timestamp with time zone
)
