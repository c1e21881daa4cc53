-- Take out the activities that come again.
delete from ninja.{entity} where source = $source and id in (select id from stage_{entity})
