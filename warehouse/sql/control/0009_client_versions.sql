-- Closed versions of clients, as they were observed. The version that still holds stands in ninja.clients.
-- Valid from valid_from up to, but not at, valid_to, by the server's clock. `record` is the whole version, without
-- secrets. The typed columns are those by which balances as of a moment are told.
create table control.client_versions (
    source varchar not null,
    id varchar not null,
    valid_from timestamp with time zone not null,
    valid_to timestamp with time zone not null,
    observed_at timestamp with time zone not null,
    ended_at timestamp with time zone not null,
    ended_by varchar not null,
    run_id varchar not null,
    ended_run_id varchar not null,
    row_hash varchar not null,
    updated_at timestamp with time zone,
    number varchar,
    name varchar,
    display_name varchar,
    balance decimal(20, 6) not null,
    paid_to_date decimal(20, 6) not null,
    payment_balance decimal(20, 6) not null,
    credit_balance decimal(20, 6) not null,
    currency_id varchar,
    group_settings_id varchar,
    country_id varchar,
    is_deleted boolean not null,
    archived_at timestamp with time zone,
    record json not null
)
