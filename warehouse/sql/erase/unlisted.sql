-- Remove an erased client from those that the server does not list.
delete from control.unlisted where source = $source and id = $id
