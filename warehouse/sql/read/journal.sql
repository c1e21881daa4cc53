-- The newest calls of the journal for people: what was done to how many clients, and what became of them.
select
    j.source,
    j.call_id,
    j.noted_at,
    j.operator,
    j.verb,
    (select count(*) from control.journal_edits as e where e.source = j.source and e.call_id = j.call_id) as clients,
    coalesce(
        (
            select string_agg(counted.told, ', ' order by counted.told)
            from (
                select e.outcome || ' ' || cast(count(*) as varchar) as told
                from control.journal_edits as e
                where e.source = j.source and e.call_id = j.call_id and e.outcome is not null
                group by e.outcome
            ) as counted
        ),
        case when s.state is null then 'unknown' else 'settled' end
    ) as outcome,
    coalesce(s.message, '') as message,
    j.plan_id
from control.journal as j
left join control.journal as s on s.source = j.source and s.call_id = j.call_id and s.state = 'settled'
where j.state = 'intended' and (cast($source as varchar) is null or j.source = $source)
order by j.noted_at desc, j.number desc
limit $top
