-- What clients are called, of those that are in the mirror.
select id, display_name from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
