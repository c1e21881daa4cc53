-- The values of clients that were not made go: an erasure by id could not find them. An open call keeps its values.
update control.journal_edits set after = cast('{}' as json) where id = '' and outcome is not null
