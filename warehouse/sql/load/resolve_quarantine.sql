-- Close the quarantine of every record whose good version has arrived.
update control.quarantine set resolved_run_id = $run_id
where source = $source and entity = '{entity}' and resolved_run_id is null and id in (select id from accepted)
