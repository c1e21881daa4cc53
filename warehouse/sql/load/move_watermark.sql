-- Put in the watermark of an entity, or move it; what stays unexplained of the totals, stays unless a run says otherwise.
insert into control.watermarks as known (
    source, entity, watermark, newest_at, began_at, local_began_at, full_at, server_total, run_id, unexplained, held
)
values ($source, $entity, $mark, $newest, $began, $local_began, $full_at, $total, $run_id, $unexplained, $held)
on conflict (source, entity) do update set
    watermark = excluded.watermark, newest_at = excluded.newest_at, began_at = excluded.began_at,
    local_began_at = excluded.local_began_at, full_at = coalesce(excluded.full_at, known.full_at),
    server_total = excluded.server_total, run_id = excluded.run_id,
    unexplained = coalesce(excluded.unexplained, known.unexplained), held = coalesce(excluded.held, known.held)
