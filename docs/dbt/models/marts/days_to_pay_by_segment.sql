select
    i.source, c.country, c.industry, c.group_name, i.currency_code,
    count(*) as paid_invoices,
    sum(i.amount) as paid_amount,
    round(avg(i.days_to_pay), 1) as average_days_to_pay,
    percentile_cont(0.5) within group (order by i.days_to_pay) as median_days_to_pay,
    max(i.days_to_pay) as longest_days_to_pay,
    count(i.days_late) as with_due_date,
    count(case when i.days_late > 0 then 1 end) as paid_late,
    max(i.paid_on) as last_paid_on
from {{ ref('stg_invoices') }} as i
join {{ ref('stg_clients') }} as c on c.client_key = i.client_key
where i.paid_on is not null
group by i.source, c.country, c.industry, c.group_name, i.currency_code
