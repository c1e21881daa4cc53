-- Queries for statements of account: who owes, and where statements go.

-- :name addresses
-- The numbers and names of some clients, each with the address that the server would mail to: the primary contact's, else
-- the first one.
select c.source, c.id as client_id, c.number, c.display_name as client, k.email
from ninja.clients as c
left join (
    select
        source, client_id, email,
        row_number() over (
            partition by source, client_id order by is_primary desc nulls last, created_at, id collate "C"
        ) as place
    from ninja.contacts
    where source = $source and email is not null and client_id in (select unnest(cast($ids as varchar[])))
) as k on k.source = c.source and k.client_id = c.id and k.place = 1
where c.source = $source and c.id in (select unnest(cast($ids as varchar[])))

-- :name all
-- Every client that owes something, without personal data: most owed first. Its amount is its balance on the server.
select
    b.source, b.id as client_id, b.currency_code as currency, b.balance as owed,
    exists (
        select 1 from ninja.contacts as k where k.source = b.source and k.client_id = b.id and k.email is not null
    ) as has_address
from mart.client_balances as b
where b.balance > 0
order by b.source, b.currency_code, b.balance desc, b.id

-- :name mailed
-- The clients whose statement was asked for by mail since a moment, each with the last time. A call whose outcome is not
-- known counts. One that the server refused, or that never reached it, does not.
select e.id as client_id, max(j.noted_at) as mailed_at
from control.journal as j
join control.journal_edits as e on e.source = j.source and e.call_id = j.call_id
where
    j.source = $source and j.verb = 'email_statement' and j.state = 'intended' and j.noted_at >= $since
    and coalesce(e.outcome, 'unknown') not in ('not applied', 'refused', 'not sent', 'not on the server')
group by e.id
