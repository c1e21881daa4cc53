-- The address of the server that a source is bound to.
select base_url from control.sources where source = $source
