-- Pairs of clients that the last run of a source found to be one, the smaller id first: how probable, by which keys, and
-- the reasons in words, for and against (a JSON list each).
create table control.duplicate_pairs (
    source varchar not null,
    id_a varchar not null,
    id_b varchar not null,
    probability double precision not null,
    keys varchar not null,
    reasons json not null,
    against json not null,
    found_at timestamp with time zone not null
)
