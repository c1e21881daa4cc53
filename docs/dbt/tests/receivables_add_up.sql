-- Rows whose parts do not add up: the amounts by days overdue to owed, and owed less overpaid to net.
select *
from {{ ref('receivables_by_month_end') }}
where not_due + overdue_1_30 + overdue_31_60 + overdue_61_90 + overdue_over_90 <> owed or owed - overpaid <> net
