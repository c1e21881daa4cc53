-- The newest mirrored clients that are not among the missing ones: a server that is to be believed knows them.
select m.id from ninja.clients as m
where m.source = $source and not exists (select 1 from asked where asked.id = m.id)
order by m.updated_at desc nulls last, m.id collate "C"
limit $most
