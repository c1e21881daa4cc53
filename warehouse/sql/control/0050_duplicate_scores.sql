-- Every pair that the last search for duplicates found at all probable, the smaller id first. `ranks` has a character
-- for the level that the pair reaches in each comparison. People read control.duplicate_pairs.
create table control.duplicate_scores (
    source varchar not null,
    id_a varchar not null,
    id_b varchar not null,
    probability double precision not null,
    in_conflict boolean not null,
    ranks varchar not null
)
