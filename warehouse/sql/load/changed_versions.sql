-- The versions that end because another one comes: each was valid until the new one was.
create temp table ended as select id, valid_from as valid_to, 'changed' as ended_by from opened where outcome = 'updated'
