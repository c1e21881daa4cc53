-- Remove the planned and done merges in which an erased client has part.
delete from control.merge_steps where source = $source and (survivor_id = $id or mergeable_id = $id)
