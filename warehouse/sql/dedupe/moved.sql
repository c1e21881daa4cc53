-- The clients of a source that were merged away, and where each is now.
select id, current_id from mart.client_redirects
where source = $source and kind = 'merged' and current_id is not null
