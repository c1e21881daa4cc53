-- Remove the documents of an erased client.
delete from ninja.documents where source = $source and client_id = $id
