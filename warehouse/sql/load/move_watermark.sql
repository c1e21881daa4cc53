-- Put in the watermark of an entity, or move it; what stays unexplained of the totals, stays unless it is told anew.
insert into control.watermarks as known
    (source, entity, watermark, newest_at, began_at, server_total, run_id, unexplained, held)
values ($source, $entity, $mark, $newest, $began, $total, $run_id, $unexplained, $held)
on conflict (source, entity) do update set
    watermark = excluded.watermark, newest_at = excluded.newest_at, began_at = excluded.began_at,
    server_total = excluded.server_total, run_id = excluded.run_id,
    unexplained = coalesce(excluded.unexplained, known.unexplained), held = coalesce(excluded.held, known.held)
