-- Note an erasure again, in a warehouse that was restored from a backup that is older; files are still to be cleaned.
insert into control.erasures (source, mark, reason, erased_at, finished_at, listed, kept_balances, removed)
values ($source, $mark, $reason, $erased_at, null, $listed, $kept_balances, $removed)
