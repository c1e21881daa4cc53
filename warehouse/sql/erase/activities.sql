-- Remove the activities of an erased client.
delete from ninja.activities where source = $source and client_id = $id
