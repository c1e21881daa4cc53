-- Put rebuilt rows into a table, with the source and run they had.
insert into {into} ({columns})
select {selected} from stage_{entity} as s join kept on kept.place = s.arrival
