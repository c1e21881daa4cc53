-- Put rebuilt rows into their table, with the source and run they had.
insert into ninja.{entity} ({columns})
select {selected} from stage_{entity} as s join kept on kept.place = s.arrival
