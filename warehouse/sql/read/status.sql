-- How fresh each source is, and what needs a look.
select
    source, clients, contacts, clients_on_server, newest_change_at, last_run_at, last_run_kind, quarantined, unknown_fields,
    server_version, base_url
from mart.load_status
order by source
