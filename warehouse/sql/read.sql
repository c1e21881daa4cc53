-- Queries of the commands.

-- :name balances_at
-- The balance, the amount paid and the credit of each client at a moment, with the columns of mart.client_balances.
select source, id, number, display_name, currency_code, country, balance, paid_to_date, credit_balance
from mart.client_history
where status <> 'deleted' and valid_from <= $at and (valid_to is null or valid_to > $at)

-- :name balances_by_client
-- The balance of each client: the currency with most owed first, and in it the client that owes most.
select
    source, number, display_name as client, country, currency_code as currency, balance,
    case when balance > 0 then balance else 0 end as owed, case when balance < 0 then -balance else 0 end as overpaid,
    paid_to_date, credit_balance
from {balances}
where source = coalesce($source, source)
order by
    source, sum(case when balance > 0 then balance else 0 end) over (partition by source, currency_code) desc, currency_code,
    balance desc, id

-- :name balances_by_country
-- The amounts owed and overpaid by country: the currency with most owed first, and in it the country that owes most.
select source, country, currency, clients, debtors, owed, creditors, overpaid, net
from (
    select
        source, country, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
        sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
        sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net
    from {balances}
    where source = coalesce($source, source)
    group by source, country, currency_code
) as countries
order by source, sum(owed) over (partition by source, currency) desc, currency, owed desc, country

-- :name balances_by_currency
-- The amounts owed and overpaid by currency, most owed first. Amounts of two currencies are never added.
select
    source, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
    sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net,
    sum(paid_to_date) as paid_to_date, sum(credit_balance) as credit_balance
from {balances}
where source = coalesce($source, source)
group by source, currency_code
order by source, owed desc, currency_code

-- :name balances_not_listed
-- The balances of clients that the server no longer lists, by currency.
select
    source, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
    sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net
from mart.unlisted_clients
where status <> 'deleted' and source = coalesce($source, source)
group by source, currency_code
order by source, owed desc, currency_code

-- :name bound_url
-- The server address that a source is bound to.
select base_url from control.sources where source = $source

-- :name changes
-- Changes of the outbox, each with its state and the reason.
select
    cast(o.wish_id as varchar) as change,
    o.source,
    o.id,
    o.field,
    o.value,
    o.reason,
    o.author,
    o.wished_at,
    case
        when o.plan_id is null then 'waiting'
        when o.plan_id = 'nothing to change' then 'there already'
        when o.plan_id like 'refused: %' then 'refused'
        when x.outcome is not null then x.outcome
        when p.state = 'planned' and p.expires_at < now() then 'waiting'
        when p.state = 'ended' then 'waiting'
        else coalesce(p.state, 'planned')
    end as state,
    case when o.plan_id like 'refused: %' then substr(o.plan_id, 10) else coalesce(x.message, 'by ' || r.rejected_by || ': ' || r.comment, '') end as why,
    p.plan_id as plan_id
from {outbox} as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
left join control.rejections as r on r.source = o.source and r.plan_id = o.plan_id
left join control.outcomes as x
    on x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field

-- :name clients_to_correct
-- The active clients of a source, in the fields that people correct most.
select
    number, name, vat_number, address1, address2, postal_code, city, state, country as country_id, phone, website,
    payment_terms, custom_value1, custom_value2, custom_value3, custom_value4, id
from mart.clients
where source = $source and status = 'active'
order by number collate "C", id collate "C"

-- :name companies
-- The company name of each source, and the end of its last load.
select c.source, c.name, s.last_load_at
from mart.companies as c
left join mart.load_status as s on s.source = c.source
where c.source = coalesce($source, c.source)
order by c.source

-- :name currencies_of_clients
-- The currency of each of these clients: its own, else its group's, else the company's.
select id, currency_code from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[]))) and currency_code is not null

-- :name currency_codes
-- The codes of the currencies of a source by their ids, those of its groups by the groups' ids, and the company's.
select 'currency' as kind, id, code from ninja.currencies where source = $source
union all
select 'group', g.id, c.code
from ninja.group_settings as g join ninja.currencies as c on c.source = g.source and c.id = g.currency_id
where g.source = $source
union all
select 'company', '', c.code
from ninja.companies as o join ninja.currencies as c on c.source = o.source and c.id = o.currency_id
where o.source = $source

-- :name departed
-- The records that one run removed, each with the client it was merged into.
select r.id, coalesce(v.{label_column}, r.id) as name, r.kind, r.into_id, c.display_name as into_name, r.evidence
from (select * from {redirects} where {theirs}) as r
left join (select * from {versions} where {theirs}) as v
    on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
left join ninja.clients as c on c.source = r.source and c.id = r.into_id
where r.source = $source and r.run_id = $run_id
order by v.{label_column} collate "C", r.id collate "C"

-- :name differing_clients
-- How many clients of each source there are, and how many have figures that their documents do not explain.
select s.source, count(*) as clients, count(d.client_id) as differing
from ninja.clients as c
join (
    select source from control.watermarks
    where entity in ('invoices', 'payments', 'credits')
    group by source having count(*) = 3
) as s on s.source = c.source
left join (select distinct source, client_id from mart.reconciliation) as d on d.source = c.source and d.client_id = c.id
where s.source = coalesce($source, s.source)
group by s.source
order by s.source

-- :name elsewhere
-- Clients that the server does not have: they belong to another source, or vanished from this one.
select id, source, cast(null as varchar) as kind, cast(null as varchar) as current_id
from ninja.clients where id in (select unnest(cast($ids as varchar[]))) and source <> $source
union all
select id, source, kind, current_id
from mart.client_redirects where id in (select unnest(cast($ids as varchar[]))) and source = $source

-- :name entity_status
-- The age and size of each entity of each source, clients first.
select
    source, entity, records, records_on_server, not_listed, newest_change_at, last_load_at, last_load_kind, quarantined
from mart.entity_status
order by source, case when entity = 'clients' then 0 else 1 end, entity

-- :name exchange_rates
-- The rates of exchange, the newest first.
select source, day, currency_code, company_currency, rate, origin
from mart.exchange_rates
where source = coalesce($source, source)
order by source, day desc, currency_code

-- :name first_ids
-- The first id of each of so many pieces of all clients, of equal size.
select distinct min(id) as first_id
from (select id, ntile(cast($number as integer)) over (order by id collate "C") as piece from ninja.clients) as c
group by piece
order by first_id

-- :name form_names
-- The names of the ids that a client's form shows by name, by field.
select 'country_id' as field, id, name from ninja.countries where source = $source
union all select 'currency_id', id, code from ninja.currencies where source = $source
union all select 'language_id', id, name from ninja.languages where source = $source
union all select 'industry_id', id, name from ninja.industries where source = $source
union all select 'size_id', id, name from ninja.sizes where source = $source
union all select 'group_settings_id', id, name from ninja.group_settings where source = $source

-- :name journal
-- The newest calls of the journal for people: the verb, the number of clients, and their outcomes.
with calls as (
    select source, call_id, noted_at, operator, verb, plan_id, number
    from control.journal
    where state = 'intended' and (cast($source as varchar) is null or source = $source)
    order by noted_at desc, number desc
    limit $top offset $skip
),
edits as (
    select e.source, e.call_id, e.outcome, count(*) as clients
    from control.journal_edits as e
    join calls as c on c.source = e.source and c.call_id = e.call_id
    group by e.source, e.call_id, e.outcome
),
counted as (
    select
        source, call_id, cast(sum(clients) as bigint) as clients,
        string_agg(outcome || ' ' || cast(clients as varchar), ', ' order by outcome) as outcome
    from edits
    group by source, call_id
)
select
    c.source, c.call_id, c.noted_at, c.operator, c.verb, coalesce(k.clients, 0) as clients,
    coalesce(k.outcome, case when s.state is null then 'unknown' else 'settled' end) as outcome,
    coalesce(s.message, '') as message, c.plan_id
from calls as c
left join counted as k on k.source = c.source and k.call_id = c.call_id
left join control.journal as s on s.source = c.source and s.call_id = c.call_id and s.state = 'settled'
order by c.noted_at desc, c.number desc

-- :name keys
-- The ids of a source's clients, with the other keys that a person may use for them.
select id, number, id_number from ninja.clients where source = $source

-- :name keys_by_email
-- The clients of a source that are not deleted, by the e-mail addresses of their contacts.
select o.client_id, o.email
from ninja.contacts as o
join ninja.clients as c on c.source = o.source and c.id = o.client_id and not c.is_deleted
where o.source = $source and o.email is not null

-- :name keys_by_name
-- The clients of a source that are not deleted, by name, and by the name that is shown.
select id, name from ninja.clients where source = $source and not is_deleted and name is not null
union
select id, display_name from ninja.clients where source = $source and not is_deleted and display_name is not null

-- :name known_since
-- The sources with no history at a moment, each with the start of its history.
select source, min(valid_from) as known_since
from mart.client_history
where source = coalesce($source, source)
group by source
having min(valid_from) > $at
order by source

-- :name last_runs
-- The end and the seconds of a source's last run of each entity and kind; with $full, of its last full checks.
select entity, kind, finished_at, seconds
from (
    select
        entity, kind, finished_at, seconds, row_number() over (partition by entity, kind order by finished_at desc) as place
    from control.runs
    where source = $source and (kind = 'full' or not cast($full as boolean))
) as runs
where place = 1

-- :name merge_plans
-- Plans of merges, the newest first, with the progress of each and the number of all plans.
select
    p.source,
    p.plan_id,
    p.made_at,
    p.author,
    p.reason,
    p.state,
    (select count(*) from control.merge_steps as s where s.source = p.source and s.plan_id = p.plan_id) as merges,
    (
        select count(*) from control.merge_steps as s
        where s.source = p.source and s.plan_id = p.plan_id and s.state in ('merged', 'done', 'done without rescue')
    ) as done,
    p.expires_at,
    count(*) over () as of_all
from control.plans as p
where p.kind = 'merge' and (cast($source as varchar) is null or p.source = $source)
order by p.made_at desc, p.plan_id collate "C"
limit $top offset $first

-- :name names
-- The names of mirrored clients.
select id, display_name from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name open_quarantine
-- The records in quarantine.
select source, entity, id, field, reason, first_run_id from control.quarantine where resolved_run_id is null order by source collate "C", entity collate "C", id collate "C"

-- :name outbox
-- Changes that wait for a plan, oldest first: no plan has taken them, or a plan took them and ended without sending them.
select o.wish_id, o.id, o.field, o.value
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
where o.source = $source
    and (
        o.plan_id is null
        or (p.state = 'planned' and p.expires_at < $now)
        or (
            p.state = 'ended'
            and not exists (
                select 1 from control.outcomes as x
                where x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field
            )
        )
    )
order by o.wished_at

-- :name outbox_named
-- The changes of the outbox whose id begins with one of some texts.
select o.* from control.outbox as o
where exists (
    select 1 from (select unnest(cast($names as varchar[])) as name) as n
    where starts_with(cast(o.wish_id as varchar), n.name)
)

-- :name outbox_of_client
-- The changes of the outbox for one client.
select * from control.outbox where source = $source and id = $id

-- :name plans
-- The newest plans, with the number of clients they change and their outcomes.
select
    p.source,
    p.plan_id,
    p.made_at,
    p.author,
    p.reason,
    p.state,
    (select count(distinct c.id) from control.plan_cells as c where c.source = p.source and c.plan_id = p.plan_id) as clients,
    (select count(*) from control.plan_cells as c where c.source = p.source and c.plan_id = p.plan_id) as cells,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome = 'applied'
    ) as applied,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome = 'there already'
    ) as there_already,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome not in ('applied', 'there already')
    ) as not_applied,
    p.expires_at,
    p.undoes
from control.plans as p
where p.kind = 'push' and (cast($source as varchar) is null or p.source = $source)
order by p.made_at desc
limit $top

-- :name published
-- The newest run that changed something, the number of changes, and the published copy: its number of changes, its time, and
-- the seconds it took to write. Changes are runs, decisions, queued changes, plans, approvals and
-- rejections. Such rows are only added, so comparing their number is enough.
select
    (select r.run_id from control.runs as r where r.changed order by r.finished_at desc, r.run_id collate "C" desc limit 1) as newest,
    (
        -- One sum of a union: DuckDB takes 20 ms to plan a sum of as many subqueries, more than all else of an idle pull.
        select cast(sum(n) as bigint)
        from (
            select count(*) as n from control.runs as r where r.changed
            union all select count(*) from control.duplicate_decisions
            union all select count(*) from control.chosen_survivors
            union all select count(*) from control.outbox
            union all select count(*) from control.plans
            union all select count(*) + count(approved_at) from control.approvals
            union all select count(*) from control.rejections
            union all select count(*) from control.outcomes
            union all select count(*) from control.journal
        ) as kinds
    ) as changed_runs,
    max(p.changed_runs) as shown, max(p.published_at) as published_at, max(p.seconds) as seconds
from control.published as p

-- :name rates_at
-- The last rate of each currency up to a day, and 1 for the company's own currency.
select source, currency_code, company_currency, rate, rate_day
from (
    select
        r.source, r.currency_code, r.company_currency, r.rate, r.day as rate_day,
        row_number() over (partition by r.source, r.currency_code order by r.day desc) as place
    from mart.exchange_rates as r
    join mart.companies as c on c.source = r.source and c.currency_code = r.company_currency
    where r.day <= coalesce($at, current_date)
) as ranked
where place = 1 and currency_code <> company_currency
union all
select source, currency_code, currency_code, cast(1 as decimal(18, 8)), null
from mart.companies
where currency_code is not null

-- :name recent
-- The number of mirrored records changed at or after a moment.
select count(*) from ninja.{entity} where source = $source and updated_at >= $since

-- :name reconciliation
-- The figures that documents do not explain, the largest difference of each currency first.
select
    r.source, r.client_id, r.client_number, r.client_name, r.currency_code as currency, r.figure, r.of_client, r.of_documents,
    r.difference, r.reason, r.other_id, coalesce(o.number || ' ', '') || o.display_name as other_client
from mart.reconciliation as r
left join ninja.clients as o on o.source = r.source and o.id = r.other_id
where r.source = coalesce($source, r.source)
order by
    r.source, r.currency_code, abs(r.difference) desc, r.client_name collate "C", r.client_id collate "C", r.figure collate "C"

-- :name rehearsal
-- Every client's record, with the ids of its present contacts and documents.
select c.record::varchar as record, k.ids as contacts, d.ids as documents
from ninja.clients as c
left join (
    select client_id, string_agg(id, ',') as ids from ninja.contacts where source = $source group by client_id
) as k on k.client_id = c.id
left join (
    select client_id, string_agg(id, ',') as ids from ninja.documents where source = $source group by client_id
) as d on d.client_id = c.id
where c.source = $source

-- :name row_version
-- The hash and stamp of one mirrored record.
select row_hash, updated_at from ninja.{entity} where source = $source and id = $id

-- :name source_of_company
-- The source that is bound to a company on a server.
select source from control.sources where base_url = $base_url and company_fingerprint = $fingerprint

-- :name sources
-- The sources this warehouse is bound to.
select source, base_url, company_id, server_version, skew_seconds, bound_at, reference_at from control.sources order by source

-- :name state
-- The state of an entity of a source before a pull: binding, skew and watermark, and the number of mirrored records.
-- The inner queries use $source too, because correlated queries take twice as long to plan.
select
    s.base_url, s.company_id, s.company_fingerprint, s.server_version, s.skew_seconds, s.reference_at,
    w.watermark, w.newest_at, w.began_at, w.local_began_at, w.run_id, w.full_at,
    w.unexplained, w.held, w.blind,
    (select count(*) from ninja.{entity} as c where c.source = $source) as mirrored,
    (
        select count(distinct q.id) from control.quarantine as q
        where q.source = $source and q.entity = '{entity}' and q.resolved_run_id is null
            and q.id not like '(%'  -- a record without an id may be mirrored
            and not exists (select 1 from ninja.{entity} as c where c.source = $source and c.id = q.id)
    ) as quarantined,
    (
        select count(*) from control.quarantine as q
        where q.source = $source and {counted} and q.resolved_run_id is null
    ) as quarantine_open,
    {left_out} as erased_listed
from control.sources as s
left join control.watermarks as w on w.source = s.source and w.entity = '{entity}'
where s.source = $source

-- :name status
-- The age of each source's data, and its problems. While a pull holds the warehouse, the last run is the published one.
select
    s.source, s.clients, s.contacts, s.clients_on_server, s.not_listed, s.newest_change_at, s.last_load_at, s.last_load_kind,
    r.finished_at as last_run_at, r.kind as last_run_kind, s.quarantined, s.unknown_fields, s.server_version, s.base_url
from mart.load_status as s
left join (
    select *, row_number() over (partition by source order by finished_at desc, run_id collate "C" desc) as place
    from control.runs
    where entity = 'clients'
) as r on r.source = s.source and r.place = 1
order by s.source

-- :name top_debtors
-- The clients who owe most in each currency, the currency with most owed first.
select source, currency, place, number, client, country, balance, paid_to_date
from (
    select
        source, currency_code as currency, number, display_name as client, country, balance, paid_to_date,
        row_number() over (partition by source, currency_code order by balance desc, id) as place,
        sum(balance) over (partition by source, currency_code) as owed
    from {balances}
    where balance > 0 and source = coalesce($source, source)
) as debtors
where place <= $most
order by source, owed desc, currency, place

-- :name views
-- Our views that still exist in both `mart` and `mart_public`, and our functions, with the digest of each one's SQL.
select v.name, v.digest
from control.views as v
left join (
    select viewname, count(*) as schemas from pg_catalog.pg_views where schemaname in ('mart', 'mart_public') group by viewname
) as t on t.viewname = v.name
where t.schemas = 2 or v.name like '%()'
