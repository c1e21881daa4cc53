-- Remove what calls were to change of an erased client; the calls themselves do not name it.
delete from control.journal_edits where source = $source and id = $id
