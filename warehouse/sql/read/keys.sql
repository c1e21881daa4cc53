-- The ids of a source's clients, with the other keys by which a person may name one.
select id, number, id_number from ninja.clients where source = $source
