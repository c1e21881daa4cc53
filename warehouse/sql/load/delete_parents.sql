-- Take out the mirror's version of every record that comes in another one.
delete from ninja.{entity}
where source = $source and id in (select id from accepted where outcome in ('updated', 'touched'))
