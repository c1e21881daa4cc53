-- Put one wish into the outbox.
insert into control.outbox (source, id, field, value, reason, author, wished_at)
values ($source, $id, $field, $value, $reason, $author, $wished_at)
