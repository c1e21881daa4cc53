-- The hash and stamp of one mirrored client.
select row_hash, updated_at from ninja.clients where source = $source and id = $id
