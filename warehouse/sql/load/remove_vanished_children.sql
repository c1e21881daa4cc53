-- Take out the children that vanished clients still have; those that moved are with their new client by now.
delete from ninja.{child} where source = $source and {parent} in (select id from ended)
