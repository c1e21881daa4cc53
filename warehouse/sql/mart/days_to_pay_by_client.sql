-- One row per client with paid invoices: how long it takes to pay, on average over its invoices.
-- See mart.days_to_pay. Averages have one decimal. paid_late counts the invoices that were paid after their due date.
create view mart.days_to_pay_by_client as
with sums as (
    select
        source, client_id, client_number, client_name, client_status, country, country_code, currency_code,
        count(*) as paid_invoices, count(days_late) as with_due_date, count(case when days_late > 0 then 1 end) as paid_late,
        sum(days_to_pay) as days_to_pay, count(days_to_pay) as with_date, sum(days_late) as days_late,
        max(days_to_pay) as longest, max(paid_on) as last_paid_on
    from mart.days_to_pay
    group by source, client_id, client_number, client_name, client_status, country, country_code, currency_code
)
select
    source, client_id, client_number, client_name, client_status, country, country_code, currency_code,
    paid_invoices, with_due_date, paid_late,
    cast(floor((20 * days_to_pay + with_date) / (2.0 * nullif(with_date, 0))) / 10 as decimal(12, 1)) as average_days_to_pay,
    cast(floor((20 * days_late + with_due_date) / (2.0 * nullif(with_due_date, 0))) / 10 as decimal(12, 1)) as average_days_late,
    longest as longest_days_to_pay, last_paid_on
from sums
