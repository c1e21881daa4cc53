-- Empty a reference table of one source, before its new rows are put in.
delete from ninja.{entity} where source = $source
