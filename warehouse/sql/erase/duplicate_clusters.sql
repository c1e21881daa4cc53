-- Take an erased client out of the clusters.
delete from control.duplicate_clusters where source = $source and id = $id
