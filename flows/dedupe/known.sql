-- Each client with what its book shows of its values: how many hold its name, mailbox and phone, which words are rare.
-- A value that more than $holders clients share identifies nobody, and is left out. But different numbers still keep
-- clients apart (any_vat, any_id).
with words as (
    select word, count(*) as n from (select unnest(words) as word from clients) group by word
),
rare as (
    select c.id, list(word order by word) as rare_words
    from (select id, unnest(words) as word from clients) as c join words using (word)
    where n <= greatest(4, 0.003 * (select count(*) from clients)) and length(word) > 2
    group by c.id
),
mails as (
    select id, mail, count(*) over (partition by mail) as n from (select id, unnest(emails) as mail from clients)
),
mail_lists as (
    select
        id, list(mail order by mail) filter (n <= $holders) as emails, list(mail order by mail) filter (n <= $few) as few_emails
    from mails group by id
),
phone_rows as (
    select id, phone, count(*) over (partition by phone) as n from (select id, unnest(phones) as phone from clients)
),
phone_lists as (
    select
        id, list(phone order by phone) filter (n <= $holders) as phones,
        list(phone order by phone) filter (n <= $few) as few_phones
    from phone_rows group by id
),
ids as (
    select try_cast(regexp_replace(id_number, '[^0-9]', '', 'g') as bigint) as value from clients where id_number is not null
),
own_ids as (  -- numbers that run on are the book's own, one a record: they say nothing
    select count(*) >= 20 and quantile_cont(value, 0.9) - quantile_cont(value, 0.1) < 20 * count(*) as running from ids
),
counted as (
    select
        *,
        count(*) over (partition by name) as namesakes,
        count(*) over (partition by vat_number) as vat_holders,
        count(*) over (partition by id_number) as id_holders,
        count(*) over (partition by domain) as domain_holders,
        count(*) over (partition by city) / count(city) over () as townsmen,
        row_number() over (order by id) as n
    from clients
)
select
    c.n, c.id, c.name, c.words, c.tight, c.numbers, c.given, c.initials, c.lone, c.personal, c.form, c.named, c.persons, c.street, c.house, c.city,
    c.postal_code, c.country, c.namesakes, c.vat_valid, c.domain_holders, c.townsmen,
    case when c.vat_holders <= $holders then c.vat_number end as vat_number,
    case when c.vat_holders <= $holders then regexp_replace(c.vat_number, '^[A-Z]{2}', '') end as vat_digits,
    case when c.id_holders <= $holders and not coalesce(o.running, false) then c.id_number end as id_number,
    c.vat_number as any_vat, case when not coalesce(o.running, false) then c.id_number end as any_id,
    case when c.domain_holders <= $holders then c.domain end as domain,
    m.emails, m.few_emails, p.phones, p.few_phones, r.rare_words
from counted as c
left join rare as r using (id)
left join mail_lists as m using (id)
left join phone_lists as p using (id)
cross join own_ids as o
