-- Remove what is told of changes before a moment.
delete from control.client_changes where source = $source and changed_at < $before
