-- One row per known version of a client, including vanished clients: its values, and the time when they held.
-- Balances as of a moment T: `where valid_from <= T and (valid_to is null or valid_to > T)` has at most one row per client,
-- and none before the first load. valid_to is NULL for the current version (is_current). Names of currencies, countries and
-- groups are today's. A client without its own currency has today's currency of its group or company.
create view mart.client_history as
with versions as (
    select
        source, id, number, display_name, balance, paid_to_date, payment_balance, credit_balance, currency_id,
        group_settings_id, country_id, is_deleted, archived_at, updated_at, valid_from, valid_to, observed_at, ended_by,
        run_id
    from control.client_versions
    union all
    select
        source, id, number, display_name, balance, paid_to_date, payment_balance, credit_balance, currency_id,
        group_settings_id, country_id, is_deleted, archived_at, updated_at, valid_from, null as valid_to, observed_at,
        null as ended_by, observed_run_id as run_id
    from ninja.clients
)
select
    v.source, v.id, v.number, v.display_name,
    case when v.is_deleted then 'deleted' when v.archived_at is not null then 'archived' else 'active' end as status,
    v.balance, v.paid_to_date, v.payment_balance, v.credit_balance, cur.code as currency_code,
    l.name as country, l.iso_3166_2 as country_code, g.name as group_name,
    v.valid_from, v.valid_to, v.valid_to is null as is_current, v.ended_by, v.observed_at, v.run_id, v.updated_at
from versions as v
left join ninja.group_settings as g on g.source = v.source and g.id = v.group_settings_id
left join ninja.companies as co on co.source = v.source
left join ninja.currencies as cur
    on cur.source = v.source and cur.id = coalesce(v.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = v.source and l.id = v.country_id
