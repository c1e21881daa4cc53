-- A record that came as it was is put in anew where a child of it stands under another parent in the mirror, or nowhere.
update accepted set outcome = 'touched'
where outcome = 'unchanged'
    and arrival in (
        select s.arrival from stage_{child} as s
        left join ninja.{child} as m on m.source = $source and m.id = s.id
        where m.{parent} is distinct from s.{parent}
    )
