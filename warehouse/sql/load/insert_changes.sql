-- Put in what differs.
insert into control.client_changes (source, id, display_name, field, before, after, changed_at, observed_at, run_id)
select $source, id, display_name, field, before, after, changed_at, $began, $run_id from stage_changes
