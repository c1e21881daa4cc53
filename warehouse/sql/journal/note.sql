-- Add one row to the journal.
insert into control.journal values (
    $source, $number, $call_id, $noted_at, $operator, $plan_id, $verb, $state, cast($clients as json), $message, $previous,
    $digest
)
