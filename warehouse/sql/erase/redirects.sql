-- Remove what became of an erased client.
delete from control.redirects where source = $source and id = $id
