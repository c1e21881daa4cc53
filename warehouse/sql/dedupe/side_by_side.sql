-- What is shown of clients that may be one.
select
    id, number, display_name, status, currency_code, balance, paid_to_date, vat_number, id_number, website, phone,
    address1, city, postal_code, country, created_at, updated_at
from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
