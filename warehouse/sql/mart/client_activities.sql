-- One row per activity of a client in the server's feed: who did what, and when. Empty unless the source sets `activities`.
-- activity names the known types, activity_type_id has all of them. A merge is listed with the client kept.
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
