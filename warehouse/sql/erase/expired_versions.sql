-- Remove the versions that ended before a moment.
delete from control.client_versions where source = $source and valid_to < $before
