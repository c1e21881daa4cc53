-- Remove changes from the outbox.
delete from control.outbox where cast(wish_id as varchar) in (select unnest(cast($changes as varchar[])))
