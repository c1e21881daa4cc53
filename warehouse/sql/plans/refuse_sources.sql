-- Refuse the waiting changes of sources that nobody knows; they keep the reason where their authors see it.
update control.outbox set plan_id = $why
where plan_id is null and source not in (select unnest(cast($known as varchar[])))
returning id, field
