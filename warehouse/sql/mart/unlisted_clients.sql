-- One row per client kept here although the server no longer lists it, by the last full check.
-- why: held (kept until a person allows the removal with `ninja-sync sweep --at-most`), or hidden (the server still has it,
-- but this token may no longer see it). since: when a full check first missed it.
create view mart.unlisted_clients as
select
    u.source, u.id, c.number, c.display_name, c.status, c.currency_code, c.balance, u.why, r.began_at as since, c.updated_at
from control.unlisted as u
join mart.client_history as c on c.source = u.source and c.id = u.id and c.is_current
left join control.runs as r on r.run_id = u.since_run_id
where u.entity = 'clients'
