-- The migrations that this warehouse has had.
create table if not exists control.migrations (number integer, name varchar, applied_at timestamp with time zone)
