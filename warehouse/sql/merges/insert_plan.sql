-- Store a plan of merges.
insert into control.merge_plans values (
    $source, $plan_id, $made_at, $expires_at, $author, $reason, $company, $version, $digest, 'planned', null
)
