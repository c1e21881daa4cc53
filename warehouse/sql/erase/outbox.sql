-- Remove the wishes about an erased client.
delete from control.outbox where source = $source and id = $id
