-- Close the quarantine of an entity that has been read whole.
update control.quarantine set resolved_run_id = $run_id
where source = $source and entity = $entity and resolved_run_id is null
