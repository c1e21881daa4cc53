-- One row per activity that the server tells of a client: who did what when. Filled where `activities` is set for the source.
-- activity: the types that are known by name. activity_type_id has them all. A merge stands with the survivor.
create view mart.client_activities as
select
    a.source, a.id, a.created_at, a.activity_type_id,
    case a.activity_type_id
        when '1' then 'client created'
        when '2' then 'client archived'
        when '3' then 'client deleted'
        when '26' then 'client restored'
        when '61' then 'client updated'
        when '151' then 'clients merged'
        when '153' then 'client purged'
    end as activity,
    a.client_id, c.display_name as client_name, a.user_id, a.notes
from ninja.activities as a
left join ninja.clients as c on c.source = a.source and c.id = a.client_id
