-- Every client's record, with the ids of the contacts and documents that are with it now.
select c.record::varchar as record, k.ids as contacts, d.ids as documents
from ninja.clients as c
left join (
    select client_id, string_agg(id, ',') as ids from ninja.contacts where source = $source group by client_id
) as k on k.client_id = c.id
left join (
    select client_id, string_agg(id, ',') as ids from ninja.documents where source = $source group by client_id
) as d on d.client_id = c.id
where c.source = $source
