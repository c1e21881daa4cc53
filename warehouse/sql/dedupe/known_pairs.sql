-- The pairs that the last run of a source has found.
select id_a, id_b, probability, keys, reasons, against from control.duplicate_pairs
where source = $source
order by probability desc, id_a collate "C", id_b collate "C"
