-- Note that a client was erased, and that its files are still to be cleaned.
insert into control.erasures (source, mark, reason, erased_at, finished_at, listed, kept_balances, removed)
values ($source, $mark, $reason, $now, null, $listed, $kept_balances, $removed)
