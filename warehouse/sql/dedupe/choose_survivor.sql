-- Note whom somebody has chosen to survive.
insert into control.chosen_survivors values ($source, $id, $author, $reason, $chosen_at)
