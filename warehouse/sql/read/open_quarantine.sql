-- The records in quarantine.
select source, entity, id, field, reason, first_run_id from control.quarantine where resolved_run_id is null order by source collate "C", entity collate "C", id collate "C"
