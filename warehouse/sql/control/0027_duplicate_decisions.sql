-- What people have decided of two clients, the smaller id first: never_merge, same_as, or later. The newest counts, and
-- every later run obeys it.
create table control.duplicate_decisions (
    source varchar not null,
    id_a varchar not null,
    id_b varchar not null,
    decision varchar not null,
    author varchar not null,
    reason varchar not null,
    decided_at timestamp with time zone not null
)
