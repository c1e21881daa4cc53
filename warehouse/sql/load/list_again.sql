-- What arrives is listed, so it is not missing any more.
delete from control.unlisted as u
where u.source = $source and exists (select 1 from accepted as a where a.id = u.id)
