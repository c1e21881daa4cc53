-- Each client with its values and how its book has them: how many hold its name, mailbox, phone, which words are rare.
-- A value that more than $holders clients share identifies nobody, and is left out. But different numbers still keep
-- clients apart (any_vat, any_id). Counts above $few are all one, and
-- shares come in steps: so a client differs from the last search only where that matters.
with word_rows as (
    select n, unnest(words) as word from clients
),
common as (
    select word from word_rows group by word
    having count(*) > greatest(4, 0.003 * (select count(*) from clients)) or length(word) <= 2
),
rare as (
    select n, list_sort(list(word)) as rare_words from word_rows anti join common using (word) group by n
),
mail_rows as (
    select n, unnest(emails) as mail from clients
),
mails as (
    select mail, count(*) as held from mail_rows group by mail having count(*) > $few
),
shared_mails as (  -- of the clients with a mailbox that many hold; all others keep theirs
    select n, list(mail) as many, list(mail) filter (held > $holders) as too_many from mail_rows join mails using (mail) group by n
),
phone_rows as (
    select n, unnest(phones) as phone from clients
),
phones as (
    select phone, count(*) as held from phone_rows group by phone having count(*) > $few
),
shared_phones as (
    select n, list(phone) as many, list(phone) filter (held > $holders) as too_many from phone_rows join phones using (phone) group by n
),
ids as (
    select try_cast(regexp_replace(id_number, '[^0-9]', '', 'g') as bigint) as value from clients where id_number is not null
),
own_ids as (  -- numbers that run on are the book's own, one a record: they say nothing
    select count(*) >= 20 and quantile_cont(value, 0.9) - quantile_cont(value, 0.1) < 20 * count(*) as running from ids
),
names as (
    select name, count(*) as held from clients group by name having count(*) > 1
),
vats as (
    select vat_number from clients group by vat_number having count(*) > $holders
),
numbers as (
    select id_number from clients group by id_number having count(*) > $holders
),
domains as (
    select domain, count(*) as held from clients group by domain having count(*) > 1
),
cities as (
    select city, least(ceil(20 * count(*) / (select count(city) from clients)), 4) / 20 as townsmen from clients group by city
)
select
    c.n, c.id, c.name, c.words, c.tight, c.numbers, c.given, c.initials, c.lone, c.personal, c.form, c.named, c.persons, c.street, c.house, c.city,
    c.postal_code, c.country, least(coalesce(names.held, 1), $few + 1) as namesakes, c.vat_valid,
    least(coalesce(domains.held, 1), $few + 1) as domain_holders, cities.townsmen,
    case when vats.vat_number is null then c.vat_number end as vat_number,
    case when vats.vat_number is null then regexp_replace(c.vat_number, '^[A-Z]{2}', '') end as vat_digits,
    case when numbers.id_number is null and not coalesce(own_ids.running, false) then c.id_number end as id_number,
    c.vat_number as any_vat, case when not coalesce(own_ids.running, false) then c.id_number end as any_id,
    case when coalesce(domains.held, 1) <= $holders then c.domain end as domain,
    without_items(c.emails, m.too_many) as emails, without_items(c.emails, m.many) as few_emails,
    without_items(c.phones, p.too_many) as phones, without_items(c.phones, p.many) as few_phones, rare.rare_words
from clients as c
left join rare using (n)
left join shared_mails as m using (n)
left join shared_phones as p using (n)
left join names on names.name = c.name
left join vats on vats.vat_number = c.vat_number
left join numbers on numbers.id_number = c.id_number
left join domains on domains.domain = c.domain
left join cities on cities.city = c.city
cross join own_ids
