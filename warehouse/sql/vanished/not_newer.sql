-- How many of some clients are not newer than a moment.
select count(*) from ninja.clients as m
where m.source = $source and m.id in (select id from asked) and coalesce(m.updated_at, m.created_at) <= $moment
