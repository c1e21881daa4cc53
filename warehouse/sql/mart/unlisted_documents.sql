-- One row per invoice, payment or credit kept here although the server no longer lists it, by the last full check.
-- why: held (kept until a person allows the removal with `ninja-sync sweep --at-most`), or hidden (the server still has it,
-- but this token may no longer see it). since: when a full check first missed it.
create view mart.unlisted_documents as
select
    u.source, h.document_kind, u.id, h.number, h.client_id, h.client_number, h.client_name, h.status, h.date, h.amount,
    h.balance, u.why, r.began_at as since
from control.unlisted as u
join mart.document_history as h
    on h.source = u.source and h.id = u.id and h.is_current
    and h.document_kind = case u.entity when 'invoices' then 'invoice' when 'payments' then 'payment' when 'credits' then 'credit' end
left join control.runs as r on r.run_id = u.since_run_id
