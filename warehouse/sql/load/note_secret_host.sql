-- Note once that a secret is used with a server.
insert into control.secret_hosts (name, base_url, noted_at)
select $name, $base_url, $now
where not exists (select 1 from control.secret_hosts where name = $name and base_url = $base_url)
