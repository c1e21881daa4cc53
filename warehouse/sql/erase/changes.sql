-- Remove what is told of changes of an erased client.
delete from control.client_changes where source = $source and id = $id
