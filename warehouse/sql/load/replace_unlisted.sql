-- Take out what an earlier pass left of this source.
delete from control.unlisted where source = $source
