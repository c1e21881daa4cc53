-- One row per problem in a client's data. Deleted clients are checked for a balance only.
-- finding: no contact with a mail, several primary contacts, unknown country, unknown currency, duplicate number, duplicate
-- VAT number, implausible VAT number (it has the letters of an EU country, but not that country's form), balance of a
-- deleted client. detail: the odd value.
create view mart.data_quality as
with forms as (
    select 'AT' as prefix, '^ATU[0-9]{8}$' as form
    union all select 'BE', '^BE[01][0-9]{9}$'
    union all select 'BG', '^BG[0-9]{9,10}$'
    union all select 'CY', '^CY[0-9]{8}[A-Z]$'
    union all select 'CZ', '^CZ[0-9]{8,10}$'
    union all select 'DE', '^DE[0-9]{9}$'
    union all select 'DK', '^DK[0-9]{8}$'
    union all select 'EE', '^EE[0-9]{9}$'
    union all select 'EL', '^EL[0-9]{9}$'
    union all select 'ES', '^ES[0-9A-Z][0-9]{7}[0-9A-Z]$'
    union all select 'FI', '^FI[0-9]{8}$'
    union all select 'FR', '^FR[0-9A-Z]{2}[0-9]{9}$'
    union all select 'HR', '^HR[0-9]{11}$'
    union all select 'HU', '^HU[0-9]{8}$'
    union all select 'IE', '^IE([0-9]{7}[A-Z]{1,2}|[0-9][A-Z+*][0-9]{5}[A-Z])$'
    union all select 'IT', '^IT[0-9]{11}$'
    union all select 'LT', '^LT([0-9]{9}|[0-9]{12})$'
    union all select 'LU', '^LU[0-9]{8}$'
    union all select 'LV', '^LV[0-9]{11}$'
    union all select 'MT', '^MT[0-9]{8}$'
    union all select 'NL', '^NL[0-9]{9}B[0-9]{2}$'
    union all select 'PL', '^PL[0-9]{10}$'
    union all select 'PT', '^PT[0-9]{9}$'
    union all select 'RO', '^RO[0-9]{2,10}$'
    union all select 'SE', '^SE[0-9]{12}$'
    union all select 'SI', '^SI[0-9]{8}$'
    union all select 'SK', '^SK[0-9]{10}$'
),
alive as (
    select
        source, id, number, vat_number, country_id, currency_id,
        nullif(upper(regexp_replace(vat_number, '[^0-9A-Za-z+*]', '', 'g') collate "C"), '') as vat_key
    from ninja.clients
    where not is_deleted
),
people as (
    select
        source, client_id, sum(case when email is not null then 1 else 0 end) as with_mail,
        sum(case when is_primary then 1 else 0 end) as primaries
    from ninja.contacts
    group by source, client_id
),
same_number as (
    select source, number from alive where number is not null group by source, number having count(*) > 1
),
same_vat as (
    select source, vat_key from alive where vat_key is not null group by source, vat_key having count(*) > 1
),
found as (
    select a.source, a.id, 'no contact with a mail' as finding, null as detail
    from alive as a
    left join people as p on p.source = a.source and p.client_id = a.id
    where coalesce(p.with_mail, 0) = 0
    union all
    select a.source, a.id, 'several primary contacts', cast(p.primaries as varchar)
    from alive as a
    join people as p on p.source = a.source and p.client_id = a.id
    where p.primaries > 1
    union all
    select a.source, a.id, 'unknown country', a.country_id
    from alive as a
    left join ninja.countries as l on l.source = a.source and l.id = a.country_id
    where a.country_id is not null and l.id is null
    union all
    select a.source, a.id, 'unknown currency', a.currency_id
    from alive as a
    left join ninja.currencies as cur on cur.source = a.source and cur.id = a.currency_id
    where a.currency_id is not null and cur.id is null
    union all
    select a.source, a.id, 'duplicate number', a.number
    from alive as a
    join same_number as n on n.source = a.source and n.number = a.number
    union all
    select a.source, a.id, 'duplicate VAT number', a.vat_number
    from alive as a
    join same_vat as n on n.source = a.source and n.vat_key = a.vat_key
    union all
    select a.source, a.id, 'implausible VAT number', a.vat_number
    from alive as a
    join forms as f on f.prefix = substr(a.vat_key, 1, 2)
    where not (a.vat_key ~ f.form)
    union all
    select c.source, c.id, 'balance of a deleted client', cast(c.balance as varchar) || coalesce(' ' || c.currency_code, '')
    from mart.clients as c
    where c.status = 'deleted' and c.balance <> 0
)
select f.source, f.id, c.number, c.display_name, f.finding, f.detail
from found as f
join ninja.clients as c on c.source = f.source and c.id = f.id
