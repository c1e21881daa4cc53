-- Remove that an erased client was chosen to survive.
delete from control.chosen_survivors where source = $source and id = $id
