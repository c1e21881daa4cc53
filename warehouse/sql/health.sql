-- Queries of the page about the warehouse's health: runs, failures, records kept aside.

-- :name forget_failures
-- Remove the notes of a source's failed pulls before a moment.
delete from control.failed_pulls where source = $source and failed_at < $before

-- :name note_failure
-- Note a failed pull.
insert into control.failed_pulls (source, began_at, failed_at, exit_code, message)
values ($source, $began_at, $failed_at, $exit_code, $message)
