-- One row per source: the company behind it, with its currency, country, language and time zone.
create view mart.companies as
select
    s.source, co.name, cur.code as currency_code, l.name as country, l.iso_3166_2 as country_code, la.name as language,
    coalesce(z.name, 'UTC') as time_zone, s.base_url, s.server_version, s.bound_at
from control.sources as s
left join ninja.companies as co on co.source = s.source
left join ninja.currencies as cur on cur.source = co.source and cur.id = co.currency_id
left join ninja.countries as l on l.source = co.source and l.id = co.country_id
left join ninja.languages as la on la.source = co.source and la.id = co.language_id
left join ninja.timezones as z on z.source = co.source and z.id = co.timezone_id
