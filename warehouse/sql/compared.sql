-- What the last search for duplicates compared, so that the next one compares only what has changed.

-- :name basis
-- What the stored forms and scores of a source were made by.
select forms, scores, least, searches from control.duplicate_basis where source = $source

-- :name drop_absent_forms
-- Remove the forms of clients that are not in the mirror, such as one erased while the search ran.
delete from control.duplicate_forms where source = $source and id not in (select id from ninja.clients where source = $source)

-- :name drop_absent_scores
-- Remove the scores of clients that are not in the mirror.
delete from control.duplicate_scores
where source = $source and (
    id_a not in (select id from ninja.clients where source = $source)
    or id_b not in (select id from ninja.clients where source = $source)
)

-- :name drop_forms
-- Remove the forms of the given clients.
delete from control.duplicate_forms where source = $source and id in (select id from written_again)

-- :name gone
-- The clients with stored forms that are not compared any more; deleted clients are compared only if $deleted is set.
select f.id from control.duplicate_forms as f
left join ninja.clients as c on c.source = f.source and c.id = f.id and ($deleted or not c.is_deleted)
where f.source = $source and c.id is null

-- :name inputs
-- The values to compare clients by: `inputs` is their hash. Where that is the stored hash, the stored forms, else the
-- values, with characters 29 to 31 between them. Contacts are last, the primary contact first.
with spelled as (
    select
        client_id, is_primary, id,
        coalesce(first_name, '') || chr(31) || coalesce(last_name, '') || chr(31)
        || coalesce(email, '') || chr(31) || coalesce(phone, '') as contact
    from ninja.contacts where source = $source
),
alone as (  -- most clients have one contact, and to put texts in order takes long
    select client_id, min(contact) as contacts from spelled group by client_id having count(*) = 1
),
reached as (
    select client_id, contacts from alone
    union all
    select client_id, string_agg(contact, chr(30) order by is_primary desc nulls last, id collate "C")
    from spelled where client_id not in (select client_id from alone)
    group by client_id
),
written as (
    select
        c.id,
        coalesce(c.name, '') || chr(29) || coalesce(c.vat_number, '') || chr(29) || coalesce(c.id_number, '') || chr(29)
        || coalesce(c.website, '') || chr(29) || coalesce(c.phone, '') || chr(29) || coalesce(c.address1, '') || chr(29)
        || coalesce(c.city, '') || chr(29) || coalesce(c.postal_code, '') || chr(29) || coalesce(l.iso_3166_2, '') || chr(29)
        || coalesce(r.contacts, '') as texts
    from ninja.clients as c
    left join ninja.countries as l on l.source = c.source and l.id = c.country_id
    left join reached as r on r.client_id = c.id
    where c.source = $source and ($deleted or not c.is_deleted)
),
hashed as (
    select id, texts, substr(md5(texts), 1, 16) as inputs from written
)
select
    h.id, h.inputs, f.print, f.forms, case when f.forms is null then h.texts end as texts
from hashed as h
left join control.duplicate_forms as f on f.source = $source and f.id = h.id and f.inputs = h.inputs and $usable

-- :name names
-- The numbers and names of the given clients.
select id, number, display_name from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name note_basis
-- Note what the stored forms and scores were made by.
insert into control.duplicate_basis values ($source, $forms, $scores, cast($least as double precision), $searches)

-- :name scores
-- The stored pairs of a source.
select id_a, id_b, probability, in_conflict, ranks from control.duplicate_scores where source = $source
