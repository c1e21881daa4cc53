-- The source that is bound to a company on a server.
select source from control.sources where base_url = $base_url and company_fingerprint = $fingerprint
