-- Put in the watermark of an entity.
insert into control.watermarks values ($source, $entity, $mark, $newest, $began, $total, $run_id)
