-- The mails and phones of all contacts of a source.
select client_id, email, phone from ninja.contacts
where source = $source and (email is not null or phone is not null)
order by client_id collate "C", id collate "C"
