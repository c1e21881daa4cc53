-- Take out the children of every record that comes in another version, and those that come under another parent.
delete from ninja.{child}
where source = $source
    and (
        {parent} in (select id from accepted where outcome in ('updated', 'touched'))
        or id in (select s.id from stage_{child} as s join accepted as a on a.arrival = s.arrival where a.outcome <> 'unchanged')
    )
