-- Leave of the versions that ended before a moment the figures and names, without the whole record.
update control.client_versions set record = cast('{}' as json)
where source = $source and valid_to < $before and cast(record as varchar) <> '{}'
