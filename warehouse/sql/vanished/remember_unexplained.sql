-- Note by how much the totals of server and warehouse disagree.
update control.watermarks set unexplained = $n where source = $source and entity = $entity
