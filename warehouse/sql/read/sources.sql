-- The sources this warehouse is bound to.
select source, base_url, company_id, server_version, skew_seconds, bound_at, reference_at from control.sources order by source
