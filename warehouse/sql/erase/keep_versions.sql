-- Leave of the versions of an erased client the figures alone, under a pseudonym.
update control.client_versions
set id = $pseudonym, number = null, name = null, display_name = null, group_settings_id = null, country_id = null,
    row_hash = '', record = cast('{}' as json)
where source = $source and id = $id
