-- Remove what is noted of an erased client and others that may be the same.
delete from control.duplicate_pairs where source = $source and (id_a = $id or id_b = $id)
