-- What the ids stand for that the form of a client shows by name, by field.
select 'country_id' as field, id, name from ninja.countries where source = $source
union all select 'currency_id', id, code from ninja.currencies where source = $source
union all select 'language_id', id, name from ninja.languages where source = $source
union all select 'industry_id', id, name from ninja.industries where source = $source
union all select 'size_id', id, name from ninja.sizes where source = $source
union all select 'group_settings_id', id, name from ninja.group_settings where source = $source
