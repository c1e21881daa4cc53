-- Groups of duplicates of the last search, with the decisions of people since then, page by page.

-- :name carried
-- The newest decisions about two clients if at least one is gone: it has a row in control.redirects, and is not in the mirror.
with gone as (
    select distinct r.id from control.redirects as r
    left join ninja.clients as c on c.source = r.source and c.id = r.id
    where r.source = $source and c.id is null
)
select d.id_a, d.id_b, d.decision
from (
    select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions
    where source = $source and (id_a in (select id from gone) or id_b in (select id from gone))
) as d
where d.place = 1

-- :name decisions
-- The newest decision about each pair of the given clients, and who made it.
select d.id_a, d.id_b, d.decision, d.author, d.decided_at
from (
    select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions
    where source = $source
        and id_a in (select unnest(cast($ids as varchar[]))) and id_b in (select unnest(cast($ids as varchar[])))
) as d
where d.place = 1
order by d.decided_at desc, d.id_a collate "C", d.id_b collate "C"

-- :name every
-- Each group of two or more clients in the mirror, and each pair that no group holds (`single`), with the state of its decisions.
-- `unsure` is how near to one half its least certain undecided pair is, without pairs in conflict. `money`, if asked for, is
-- the largest sum owed or overpaid in one currency. Decisions carried over from clients that are gone are parameters.
-- Each client that is gone has a row in control.redirects, so that few clients of the mirror are looked up. The last search
-- stored all pairs inside its groups.
with carried as (
    select
        unnest(cast($ids_a as varchar[])) as id_a, unnest(cast($ids_b as varchar[])) as id_b,
        unnest(cast($outcomes as varchar[])) as decision
),
decided as (
    select id_a, id_b, decision
    from (
        select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
        from control.duplicate_decisions where source = $source
    ) as d
    where place = 1
),
clusters as (
    select cluster_id, id from control.duplicate_clusters where source = $source
),
found as (
    select
        p.id_a, p.id_b, p.probability, coalesce(p.in_conflict, true) as in_conflict,
        case when a.cluster_id = b.cluster_id then a.cluster_id else p.id_a || ',' || p.id_b end as group_id,
        coalesce(a.cluster_id <> b.cluster_id, true) as single
    from control.duplicate_pairs as p
    left join clusters as a on a.id = p.id_a
    left join clusters as b on b.id = p.id_b
    where p.source = $source
),
named as (
    select cluster_id as group_id, id, false as single from clusters
    union all
    select group_id, id_a, true from found where single
    union all
    select group_id, id_b, true from found where single
),
gone as (
    select r.id from control.redirects as r
    left join ninja.clients as c on c.source = r.source and c.id = r.id
    where r.source = $source and c.id is null and r.id in (select id from named)
),
members as (
    select n.group_id, n.single, n.id from named as n left join gone as r on r.id = n.id where r.id is null
),
judged as (
    select
        f.group_id, f.probability, f.in_conflict, coalesce(d.decision, c.decision) as decision,
        coalesce(d.decision, c.decision, 'later') = 'later' as open
    from found as f
    left join gone as a on a.id = f.id_a
    left join gone as b on b.id = f.id_b
    left join decided as d on d.id_a = f.id_a and d.id_b = f.id_b
    left join carried as c on c.id_a = f.id_a and c.id_b = f.id_b
    where a.id is null and b.id is null
),
states as (
    select
        group_id, max(probability) as probability, bool_or(in_conflict) as in_conflict,
        min(abs(probability - 0.5)) filter (where open and not in_conflict) as unsure,
        case
            when bool_or(decision is null) then 'undecided'
            when bool_or(open) then 'later'
            when bool_or(decision = 'never_merge') then 'not_same'
            else 'same'
        end as state
    from judged group by group_id
),
sums as (
    select
        m.group_id, sum(greatest(c.balance, 0)) as owed, sum(greatest(-c.balance, 0)) as overpaid
    from members as m
    join ninja.clients as c on c.source = $source and c.id = m.id
    left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
    left join ninja.companies as co on co.source = c.source
    where $with_money
    group by m.group_id, coalesce(c.currency_id, g.currency_id, co.currency_id)
),
amounts as (
    select group_id, max(greatest(owed, overpaid)) as money from sums group by group_id
),
lists as (
    select group_id, single, string_agg(id, ',' order by id collate "C") as ids
    from members group by group_id, single
    having count(*) > 1
)
select
    l.group_id, l.ids, l.single, s.probability, coalesce(s.in_conflict, false) as in_conflict, s.unsure,
    coalesce(s.state, 'undecided') as state, a.money
from lists as l
left join states as s on s.group_id = l.group_id
left join amounts as a on a.group_id = l.group_id

-- :name last_search
-- When the last search for duplicates read the clients of a source.
select max(found_at) as found_at from (
    select max(found_at) as found_at from control.duplicate_pairs where source = $source
    union all
    select max(found_at) from control.duplicate_clusters where source = $source
) as f

-- :name members
-- The clients of some groups, as a list of groups shows them.
select
    c.id, c.number, c.display_name, c.vat_number, cur.code as currency_code, c.balance,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status
from ninja.clients as c
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
where c.source = $source and c.id in (select unnest(cast($ids as varchar[])))

-- :name page
-- The numbers of all groups and single pairs by state, beside each group and single pair of one page in the chosen order.
-- The numbers stand alone if the page is empty. Without a state, the page has groups of any.
with every as materialized ({groups}),
numbers as (
    select
        count(*) filter (where not single and state = 'undecided') as groups_undecided,
        count(*) filter (where not single and state = 'later') as groups_later,
        count(*) filter (where not single and state = 'same') as groups_same,
        count(*) filter (where not single and state = 'not_same') as groups_not_same,
        count(*) filter (where single and state = 'undecided') as pairs_undecided,
        count(*) filter (where single and state = 'later') as pairs_later,
        count(*) filter (where single and state = 'same') as pairs_same,
        count(*) filter (where single and state = 'not_same') as pairs_not_same
    from every
),
places as (
    select
        e.ids, e.single, e.probability, e.in_conflict, e.unsure, e.state,
        row_number() over (
            partition by e.single
            order by
                case $by
                    when 'uncertain' then e.unsure when 'probable' then -e.probability
                    else -cast(e.money as double precision)
                end nulls last,
                e.ids collate "C"
        ) as place
    from every as e
    where cast($state as varchar) is null or e.state = $state or ($state = 'open' and e.state in ('undecided', 'later'))
),
page as (
    select * from places
    where not single and place > $first and place <= $first + $top
    union all
    select * from places
    where single and place > $first_single and place <= $first_single + $top_single
)
select p.ids, p.single, p.probability, p.in_conflict, p.unsure, p.state, n.*
from numbers as n
left join page as p on true
order by p.single, p.place

-- :name pairs
-- The pairs of the last search between the given clients. A pair of an earlier version may be in conflict.
select
    id_a, id_b, probability, keys, reasons, against, coalesce(in_conflict, true) as in_conflict
from control.duplicate_pairs
where source = $source
    and id_a in (select unnest(cast($ids as varchar[]))) and id_b in (select unnest(cast($ids as varchar[])))
order by probability desc, id_a collate "C", id_b collate "C"

-- :name scores
-- What the last search stored of each pair of the given clients: the rank of each comparison's level, as a character.
select id_a, id_b, ranks from control.duplicate_scores
where source = $source
    and id_a in (select unnest(cast($ids as varchar[]))) and id_b in (select unnest(cast($ids as varchar[])))

-- :name survivors
-- The given clients that people chose to keep, and who chose, the newest choice first.
select id, author, chosen_at from control.chosen_survivors
where source = $source and id in (select unnest(cast($ids as varchar[])))
order by chosen_at desc, id collate "C"

-- :name take_back_choice
-- Remove the choice of a client to keep that one person made at one moment.
delete from control.chosen_survivors
where source = $source and id = $id and author = $author and chosen_at = $chosen_at

-- :name take_back_decision
-- Remove the decisions about pairs of the given clients that one person made at one moment.
delete from control.duplicate_decisions
where source = $source and author = $author and decided_at = $decided_at
    and id_a in (select unnest(cast($ids as varchar[]))) and id_b in (select unnest(cast($ids as varchar[])))

-- :name with_client
-- The clients of the group that holds a client.
select id from control.duplicate_clusters
where source = $source and cluster_id in (select cluster_id from control.duplicate_clusters where source = $source and id = $id)
order by id collate "C"
