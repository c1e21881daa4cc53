-- Remove the contacts of an erased client.
delete from ninja.contacts where source = $source and client_id = $id
