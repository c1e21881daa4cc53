-- What each client that was not deleted owed, had paid and had in credit at a moment, as mart.client_balances has it now.
select source, id, number, display_name, currency_code, country, balance, paid_to_date, credit_balance
from mart.client_history
where status <> 'deleted' and valid_from <= $at and (valid_to is null or valid_to > $at)
