-- Put in what was kept.
insert into control.unlisted (source, id, why, since_run_id)
select $source, id, why, since_run_id from unlisted_now
