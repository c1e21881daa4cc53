-- The journal is not a chain of digests any more: without a key, anybody who changed a row could make the digests again.
alter table control.journal drop column previous
