-- Remove an erased client from the mirror.
delete from ninja.clients where source = $source and id = $id
