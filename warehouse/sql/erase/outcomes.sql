-- Remove what became of an erased client in plans.
delete from control.outcomes where source = $source and id = $id
