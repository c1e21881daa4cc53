-- One row per line of an invoice, with the invoice's number, date, client and status. Amounts are in the client's currency.
-- Lines of drafts and of deleted invoices are listed too: see status and document_status.
create view mart.invoice_items as
select
    t.source, t.id, t.invoice_id, t.place, i.number as invoice_number, i.date as invoice_date,
    i.client_id, i.client_number, i.client_name, i.client_status, i.country, i.country_code, i.currency_code,
    i.status, i.document_status,
    t.product_key, t.notes, t.quantity, t.cost, t.discount, t.is_amount_discount,
    t.tax_name1, t.tax_rate1, t.tax_name2, t.tax_rate2, t.tax_name3, t.tax_rate3, t.tax_amount,
    t.line_total, t.gross_line_total, t.type_id, t.task_id, t.expense_id,
    t.custom_value1, t.custom_value2, t.custom_value3, t.custom_value4
from ninja.invoice_items as t
join mart.invoices as i on i.source = t.source and i.id = t.invoice_id
