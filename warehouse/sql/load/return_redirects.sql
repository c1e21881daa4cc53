-- Note which vanished clients have come back.
update control.redirects set returned_run_id = $run_id
where source = $source and returned_run_id is null and id in (select id from accepted)
