-- Note a decision.
insert into control.duplicate_decisions values ($source, $id_a, $id_b, $decision, $author, $reason, $decided_at)
