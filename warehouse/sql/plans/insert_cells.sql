-- Store the cells of a plan.
insert into control.plan_cells
select
    $source, $plan_id, unnest(cast($ids as varchar[])), unnest(cast($fields as varchar[])),
    cast(unnest(cast($befores as varchar[])) as json), cast(unnest(cast($afters as varchar[])) as json),
    unnest(cast($by_puts as boolean[]))
