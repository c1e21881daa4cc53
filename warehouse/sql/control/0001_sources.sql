-- The sources this warehouse is bound to: one row per configured company on one server.
create table control.sources (
    source varchar primary key,
    base_url varchar not null,
    company_id varchar not null,
    company_fingerprint varchar not null,
    server_version varchar,
    skew_seconds bigint,
    reference_at timestamp with time zone,
    bound_at timestamp with time zone not null
)
