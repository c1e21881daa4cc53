-- What clients are compared by: those that are not deleted, and deleted ones only if told.
select
    c.id, c.number, coalesce(c.name, c.display_name) as name, c.vat_number, c.id_number, c.website, c.phone, c.address1,
    c.city, c.postal_code, l.iso_3166_2 as country
from ninja.clients as c
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
where c.source = $source and ($deleted or not c.is_deleted)
order by c.id collate "C"
