-- Note what became of cells.
insert into control.outcomes
select
    $source, $plan_id, unnest(cast($ids as varchar[])), unnest(cast($fields as varchar[])),
    unnest(cast($outcomes as varchar[])), unnest(cast($messages as varchar[])), $noted_at
