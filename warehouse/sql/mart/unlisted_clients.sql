-- One row per client that is here although the server no longer lists it, as the last reading of everything found.
-- why: held (it stays until somebody says how many may go: `ninja-sync sweep --at-most`), or hidden (the server knows
-- it, but this token may no longer see it). since: when it was first found missing.
create view mart.unlisted_clients as
select
    u.source, u.id, c.number, c.display_name, c.status, c.currency_code, c.balance, u.why, r.began_at as since, c.updated_at
from control.unlisted as u
join mart.clients as c on c.source = u.source and c.id = u.id
left join control.runs as r on r.run_id = u.since_run_id
