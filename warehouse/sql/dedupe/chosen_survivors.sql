-- The clients that were chosen to survive, the newest choice first.
select id from control.chosen_survivors where source = $source
group by id
order by max(chosen_at) desc, id collate "C"
