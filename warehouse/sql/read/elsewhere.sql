-- What is known of clients that the server does not have: another source's, or gone from this one, and where to.
select id, source, cast(null as varchar) as kind, cast(null as varchar) as current_id
from ninja.clients where id in (select unnest(cast($ids as varchar[]))) and source <> $source
union all
select id, source, kind, current_id
from mart.client_redirects where id in (select unnest(cast($ids as varchar[]))) and source = $source
