-- Remove from quarantine what was resolved by runs that ended before a moment.
delete from control.quarantine
where source = $source
    and resolved_run_id in (select run_id from control.runs where source = $source and finished_at < $before)
