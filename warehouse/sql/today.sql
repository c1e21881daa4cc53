-- Queries of the page Today: how fresh the data is, what is owed, what changed, and what waits.

-- :name balances
-- The amounts owed and overpaid by currency, most owed first. Amounts of two currencies are never added.
select source, currency_code as currency, clients, debtors, owed, creditors, overpaid, net
from {mart}.balances_by_currency
where (cast($source as varchar) is null or source = $source)
order by source collate "C", owed desc, currency_code collate "C"

-- :name changed
-- The clients that changed since a moment, each with the number of its changed values; the newest first.
select c.source, c.id, n.number, {name}, null as currency, c.changes, c.at
from (
    select k.source, k.id, count(*) as changes, max(k.changed_at) as at
    from {mart}.client_changes as k
    where k.observed_at >= $since and (cast($source as varchar) is null or k.source = $source)
    group by k.source, k.id
    order by max(k.changed_at) desc, k.source, k.id
    limit $most offset $skip
) as c
left join {clients} as n on n.source = c.source and n.id = c.id
order by c.at desc, c.source, c.id

-- :name changes
-- How many clients are new, changed, vanished, and have another balance, since a moment.
-- A new client has a stamp that is as new: by stamps there is an index.
select 'new' as kind, count(*) as clients
from {clients} as c
where c.updated_at >= $since and c.created_at >= $since and not c.is_deleted and (cast($source as varchar) is null or c.source = $source)
union all
select 'changed', count(*)
from (
    select source, id from {mart}.client_changes where observed_at >= $since and (cast($source as varchar) is null or source = $source)
    group by source, id
) as k
union all
select 'moved', count(*)
from (
    select source, id from {mart}.client_changes
    where observed_at >= $since and field = 'balance' and (cast($source as varchar) is null or source = $source)
    group by source, id
) as k
union all
select 'vanished', count(*) from {mart}.client_redirects
where vanished_at >= $since and (cast($source as varchar) is null or source = $source)

-- :name checks
-- When each source was last read without an error, and its newest failure if that came later.
select s.source, r.checked_at, f.failed_at, f.exit_code, f.message
from (select source from control.sources union select source from control.failed_pulls) as s
left join (
    select source, max(finished_at) as checked_at from control.runs where entity = 'clients' group by source
) as r on r.source = s.source
left join (
    select *, row_number() over (partition by source order by failed_at desc) as place from control.failed_pulls
) as f on f.source = s.source and f.place = 1 and (r.checked_at is null or f.failed_at > r.checked_at)
where (cast($source as varchar) is null or s.source = $source)
order by s.source collate "C"

-- :name clients
-- The clients with their currencies. The contacts of mart.clients would take longer than all the rest.
select
    c.source, c.id, c.number, c.display_name, cur.code as currency_code, c.balance, c.created_at, c.updated_at, c.is_deleted
from ninja.clients as c
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)

-- :name company_day
-- The day that it is for a company at a moment, in its own time zone; of several, the earliest.
select min(cast(cast($now as timestamp with time zone) at time zone time_zone as date)) as day
from {mart}.companies
where (cast($source as varchar) is null or source = $source)

-- :name freshness
-- The age and the problems of each source's data.
select s.source, c.name as company, s.last_load_at, s.not_listed, s.quarantined
from {mart}.load_status as s
left join {mart}.companies as c on c.source = s.source
where (cast($source as varchar) is null or s.source = $source)
order by s.source collate "C"

-- :name kept
-- How many records each source keeps until a person allows their removal, by kind, for a reader of the views.
select source, 'clients' as entity, count(*) as records
from {mart}.unlisted_clients where why = 'held' and (cast($source as varchar) is null or source = $source)
group by source
union all
select source, document_kind || 's', count(*)
from {mart}.unlisted_documents where why = 'held' and (cast($source as varchar) is null or source = $source)
group by source, document_kind
order by 1, 2

-- :name moved
-- The clients whose balance moved since a moment: the balance before and now; the newest first.
select k.source, k.id, n.number, {name}, n.currency_code as currency, b.balance as before, n.balance as after, k.at
from (
    select source, id, min(changed_at) as first_at, max(changed_at) as at
    from {mart}.client_changes
    where observed_at >= $since and field = 'balance' and (cast($source as varchar) is null or source = $source)
    group by source, id
    order by max(changed_at) desc, source, id
    limit $most offset $skip
) as k
left join {clients} as n on n.source = k.source and n.id = k.id
left join {versions} as b on b.source = k.source and b.id = k.id and b.valid_to = k.first_at
order by k.at desc, k.source, k.id

-- :name new
-- The clients that are new since a moment, the newest first.
select n.source, n.id, n.number, {name}, n.currency_code as currency, n.balance as after, n.created_at as at
from {clients} as n
where n.updated_at >= $since and n.created_at >= $since and not n.is_deleted and (cast($source as varchar) is null or n.source = $source)
order by n.created_at desc, n.source, n.id
limit $most offset $skip

-- :name since
-- The start of yesterday in the companies' time zone; of several, the earliest.
select min(
    cast(cast(cast($now as timestamp with time zone) at time zone time_zone as date) - 1 as timestamp) at time zone time_zone
) as since
from {mart}.companies
where (cast($source as varchar) is null or source = $source)

-- :name vanished
-- The clients that vanished since a moment, each with its fate; the newest first.
select n.source, n.id, null as number, {name}, null as currency, n.kind, n.into_id, n.vanished_at as at
from {mart}.client_redirects as n
where n.vanished_at >= $since and (cast($source as varchar) is null or n.source = $source)
order by n.vanished_at desc, n.source, n.id
limit $most offset $skip

-- :name waiting
-- What waits for a person, by source: counts of plans, changes, calls, and records kept or set aside.
-- A decision about a client that was merged holds for the client that it is part of now.
with newest as (
    select
        source, id_a, id_b, decision,
        row_number() over (partition by source, id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions
),
present as (
    select d.source, coalesce(r.current_id, d.id_a) as id_a, coalesce(s.current_id, d.id_b) as id_b
    from newest as d
    left join mart.client_redirects as r on r.source = d.source and r.id = d.id_a
    left join mart.client_redirects as s on s.source = d.source and s.id = d.id_b
    where d.place = 1 and d.decision <> 'later'
),
decided as (  -- one text for a pair, because no planner estimates three columns well
    select source || ' ' || id_a || ' ' || id_b as pair from present
    union
    select source || ' ' || id_b || ' ' || id_a from present
),
members as (
    select k.source, k.cluster_id, k.id
    from control.duplicate_clusters as k
    left join (
        select source, id from control.redirects where returned_run_id is null
    ) as r on r.source = k.source and r.id = k.id
    where r.id is null
)
select source, 'approve' as kind, count(*) as things
from control.plans as p
where state = 'planned' and expires_at >= $now and not exists (
    select 1 from control.approvals as a
    where a.source = p.source and a.plan_id = p.plan_id and a.digest = p.digest and a.approved_at is not null
)
group by source
union all
select source, 'apply', count(*)
from control.plans as p
where state = 'planned' and expires_at >= $now and exists (
    select 1 from control.approvals as a
    where a.source = p.source and a.plan_id = p.plan_id and a.digest = p.digest and a.approved_at is not null
)
group by source
union all
select source, 'cut off', count(*) from control.plans where state = 'applying' group by source
union all
select o.source, case when o.plan_id like 'refused: %' then 'refused' when p.state = 'rejected' then 'rejected' else 'queued' end, count(*)
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
where o.plan_id is null
    or o.plan_id like 'refused: %'
    or (p.state = 'planned' and p.expires_at < $now)
    or p.state = 'rejected'
    or (
        p.state = 'ended'
        and not exists (
            select 1 from control.outcomes as x
            where x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field
        )
    )
group by o.source, case when o.plan_id like 'refused: %' then 'refused' when p.state = 'rejected' then 'rejected' else 'queued' end
union all
select j.source, 'unknown', count(*)
from control.journal as j
where j.state = 'intended' and not exists (
    select 1 from control.journal as s where s.source = j.source and s.call_id = j.call_id and s.state = 'settled'
)
group by j.source
union all
select source, 'held ' || entity, count(*) from control.unlisted where why = 'held' group by source, entity
union all
select source, 'quarantine', count(*) from control.quarantine where resolved_run_id is null group by source
union all
select source, 'groups', count(*)
from (
    select a.source, a.cluster_id
    from members as a
    join members as b on b.source = a.source and b.cluster_id = a.cluster_id and b.id collate "C" > a.id collate "C"
    left join decided as k on k.pair = a.source || ' ' || a.id || ' ' || b.id
    where k.pair is null
    group by a.source, a.cluster_id
) as open_groups
group by source
order by source, kind
