-- Queries of the page Today: how fresh the data is, what is owed, what changed, and what waits.

-- :name balances
-- The amounts owed and overpaid by currency, most owed first. Amounts of two currencies are never added.
select source, currency_code as currency, clients, debtors, owed, creditors, overpaid, net
from {mart}.balances_by_currency
where source = coalesce($source, source)
order by source collate "C", owed desc, currency_code collate "C"

-- :name changed
-- The clients that changed since the start of yesterday, each with the number of its changed values; the newest first.
select c.source, c.id, n.number, {name}, null as currency, c.changes, c.at
from (
    select k.source, k.id, count(*) as changes, max(k.changed_at) as at
    from {mart}.client_changes as k
    join ({since}) as s on s.source = k.source and k.observed_at >= s.since
    where k.source = coalesce($source, k.source)
    group by k.source, k.id
    order by max(k.changed_at) desc, k.source, k.id
    limit $most offset $skip
) as c
left join {mart}.client_history as n on n.source = c.source and n.id = c.id and n.is_current
order by c.at desc, c.source, c.id

-- :name changes
-- How many clients are new, changed, vanished, and have another balance, since the start of yesterday.
select s.source, s.since, 'new' as kind, count(c.id) as clients
from ({since}) as s
left join {mart}.clients as c on c.source = s.source and c.created_at >= s.since and c.status <> 'deleted'
where s.source = coalesce($source, s.source)
group by s.source, s.since
union all
select s.source, s.since, k.kind, count(distinct k.id)
from ({since}) as s
join (
    select source, id, observed_at, 'changed' as kind from {mart}.client_changes
    union all
    select source, id, observed_at, 'moved' from {mart}.client_changes where field = 'balance'
) as k on k.source = s.source and k.observed_at >= s.since
where s.source = coalesce($source, s.source)
group by s.source, s.since, k.kind
union all
select s.source, s.since, 'vanished', count(r.id)
from ({since}) as s
join {mart}.client_redirects as r on r.source = s.source and r.vanished_at >= s.since
where s.source = coalesce($source, s.source)
group by s.source, s.since

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
where s.source = coalesce($source, s.source)
order by s.source collate "C"

-- :name freshness
-- The age and the problems of each source's data.
select s.source, c.name as company, s.clients, s.last_load_at, s.not_listed, s.quarantined
from {mart}.load_status as s
left join {mart}.companies as c on c.source = s.source
where s.source = coalesce($source, s.source)
order by s.source collate "C"

-- :name kept
-- How many records each source keeps until a person allows their removal, by kind, for a reader of the views.
select source, 'clients' as entity, count(*) as records
from {mart}.unlisted_clients where why = 'held' and source = coalesce($source, source)
group by source
union all
select source, document_kind || 's', count(*)
from {mart}.unlisted_documents where why = 'held' and source = coalesce($source, source)
group by source, document_kind
order by 1, 2

-- :name moved
-- The clients whose balance moved since the start of yesterday: the balance before and now; the newest first.
select k.source, k.id, n.number, {name}, n.currency_code as currency, b.balance as before, n.balance as after, k.at
from (
    select d.source, d.id, min(d.changed_at) as first_at, max(d.changed_at) as at
    from {mart}.client_changes as d
    join ({since}) as s on s.source = d.source and d.observed_at >= s.since
    where d.field = 'balance' and d.source = coalesce($source, d.source)
    group by d.source, d.id
    order by max(d.changed_at) desc, d.source, d.id
    limit $most offset $skip
) as k
left join {mart}.client_history as n on n.source = k.source and n.id = k.id and n.is_current
left join {mart}.client_history as b on b.source = k.source and b.id = k.id and b.valid_to = k.first_at
order by k.at desc, k.source, k.id

-- :name new
-- The clients that are new since the start of yesterday, the newest first.
select n.source, n.id, n.number, {name}, n.currency_code as currency, n.balance as after, n.created_at as at
from {mart}.clients as n
join ({since}) as s on s.source = n.source and n.created_at >= s.since
where n.status <> 'deleted' and n.source = coalesce($source, n.source)
order by n.created_at desc, n.source, n.id
limit $most offset $skip

-- :name since
-- The start of yesterday in the time zone of each company.
select
    source,
    cast(cast(cast($now as timestamp with time zone) at time zone time_zone as date) - 1 as timestamp) at time zone time_zone
        as since
from {mart}.companies

-- :name vanished
-- The clients that vanished since the start of yesterday, each with its fate; the newest first.
select n.source, n.id, null as number, {name}, null as currency, n.kind, n.into_id, n.vanished_at as at
from {mart}.client_redirects as n
join ({since}) as s on s.source = n.source and n.vanished_at >= s.since
where n.source = coalesce($source, n.source)
order by n.vanished_at desc, n.source, n.id
limit $most offset $skip

-- :name waiting
-- What waits for a person, by source: counts of plans, changes, calls, and records kept or set aside.
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
select source, 'refused', count(*) from control.outbox where plan_id like 'refused: %' group by source
union all
select source, 'queued', count(*) from control.outbox where plan_id is null group by source
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
    from control.duplicate_clusters as a
    join control.duplicate_clusters as b on b.source = a.source and b.cluster_id = a.cluster_id and b.id > a.id
    join ninja.clients as c on c.source = a.source and c.id = a.id
    join ninja.clients as e on e.source = b.source and e.id = b.id
    left join (
        select *, row_number() over (partition by source, id_a, id_b order by decided_at desc, decision) as place
        from control.duplicate_decisions
    ) as d on d.source = a.source and d.id_a = a.id and d.id_b = b.id and d.place = 1
    where coalesce(d.decision, 'later') = 'later'
    group by a.source, a.cluster_id
) as open_groups
group by source
order by source, kind
