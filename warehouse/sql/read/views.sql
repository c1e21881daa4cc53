-- The views of `mart` that were made and are still there.
select v.name, v.digest
from control.views as v
join information_schema.tables as t on t.table_schema = 'mart' and t.table_name = v.name
