-- What is known now of clients that had vanished before; the time at which they did stays.
update control.redirects
set kind = e.ended_by, into_id = e.into_id, evidence = e.evidence, run_id = $run_id
from ended as e
where control.redirects.source = $source and control.redirects.id = e.id and control.redirects.returned_run_id is null
