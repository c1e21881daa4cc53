-- Store the pairs of a run.
insert into control.duplicate_pairs
select
    $source, unnest(cast($ids_a as varchar[])), unnest(cast($ids_b as varchar[])),
    unnest(cast($probabilities as double precision[])), unnest(cast($keys as varchar[])),
    cast(unnest(cast($reasons as varchar[])) as json), cast(unnest(cast($against as varchar[])) as json), $found_at
