-- The whole records of clients, as the server sent them, less their secrets.
select id, record from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
