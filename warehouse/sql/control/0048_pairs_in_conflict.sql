-- Whether two clients contradict each other, as by two valid VAT numbers. NULL for a pair that an earlier version found.
alter table control.duplicate_pairs add column in_conflict boolean
