-- Those of these ids that are, or were, clients of a source.
select id from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
union
select id from control.redirects
where source = $source and id in (select unnest(cast($ids as varchar[])))
