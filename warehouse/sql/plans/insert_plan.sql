-- Store a plan.
insert into control.plans values (
    $source, $plan_id, $made_at, $expires_at, $base_at, $newest_at, $author, $reason, $company, $undoes, $digest, 'planned', null
)
