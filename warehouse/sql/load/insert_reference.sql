-- Put in the rows of a reference table.
insert into ninja.{entity} ({columns}) select {selected} from stage_{entity} as s
