-- Store the clusters of a run.
insert into control.duplicate_clusters
select $source, unnest(cast($clusters as varchar[])), unnest(cast($ids as varchar[])), $found_at
