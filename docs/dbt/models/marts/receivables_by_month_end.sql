{{ config(pre_hook=let_functions_read()) }}

{%- set functions = source('ninja', 'aging').include(identifier=false) %}

with aged as (
    {%- for day in month_ends(var('months')) + [run_started_at.date()] %}
    {{ 'union' if not loop.first }}    -- not `union all`: where today is still the last day of a month, both are that day
    select * from {{ functions }}.aging_as_of(date '{{ day }}')
    {%- endfor %}
)
select
    source, day, country, country_code, currency_code,
    count(*) as clients,
    count(case when owed > 0 then 1 end) as debtors,
    cast(sum(open_invoices) as bigint) as open_invoices,
    sum(not_due) as not_due,
    sum(overdue_1_30) as overdue_1_30,
    sum(overdue_31_60) as overdue_31_60,
    sum(overdue_61_90) as overdue_61_90,
    sum(overdue_over_90) as overdue_over_90,
    sum(owed) as owed,
    sum(overpaid) as overpaid,
    sum(net) as net,
    sum(unapplied_payments) as unapplied_payments,
    sum(open_credits) as open_credits
from aged
group by source, day, country, country_code, currency_code
