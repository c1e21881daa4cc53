-- One row per source and month, in the company's time zone, in which clients came or went.
-- new_clients: created in that month, including those that have vanished since. deleted_clients: deleted in that month, and
-- still on the server. merged_clients: merged into another client in that month. vanished_clients: gone in another way.
create view mart.clients_by_month as
with happened as (
    select source, 'new' as what, created_at as moment from ninja.clients where created_at is not null
    union all
    select source, 'new' as what, moment
    from (
        select
            v.source, v.id, to_timestamp(cast(v.record ->> 'created_at' as bigint)) as moment,
            row_number() over (partition by v.source, v.id order by v.valid_to desc) as place
        from control.client_versions as v
        where not exists (select 1 from ninja.clients as c where c.source = v.source and c.id = v.id)
    ) as gone
    where place = 1
    union all
    select source, 'deleted' as what, archived_at as moment from ninja.clients where is_deleted and archived_at is not null
    union all
    select source, case when kind = 'merged' then 'merged' else 'vanished' end as what, vanished_at as moment
    from control.redirects
    where returned_run_id is null
)
select
    h.source, cast(date_trunc('month', h.moment at time zone c.time_zone) as date) as month,
    count(*) filter (where h.what = 'new') as new_clients,
    count(*) filter (where h.what = 'deleted') as deleted_clients,
    count(*) filter (where h.what = 'merged') as merged_clients,
    count(*) filter (where h.what = 'vanished') as vanished_clients
from happened as h
join mart.companies as c on c.source = h.source
group by h.source, cast(date_trunc('month', h.moment at time zone c.time_zone) as date)
