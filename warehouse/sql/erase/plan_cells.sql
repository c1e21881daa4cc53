-- Remove what plans hold of an erased client.
delete from control.plan_cells where source = $source and id = $id
