-- Remove what is in quarantine of an erased client.
delete from control.quarantine where source = $source and id = $id
