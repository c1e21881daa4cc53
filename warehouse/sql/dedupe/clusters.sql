-- The clusters of the last run of a source.
select cluster_id, id from control.duplicate_clusters where source = $source order by cluster_id collate "C", id collate "C"
