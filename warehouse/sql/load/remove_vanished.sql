-- Take out the clients that vanished.
delete from ninja.{entity} where source = $source and id in (select id from ended)
