-- Remove the versions of an erased client.
delete from control.client_versions where source = $source and id = $id
