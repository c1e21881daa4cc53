-- The mirrored ids that a scan did not meet.
select m.id from ninja.{entity} as m
where m.source = $source and not exists (select 1 from met where met.id = m.id)
order by m.id collate "C"
