-- What the marks of erased clients are made with: random, and different in each warehouse.
create table control.salt as select cast(gen_random_uuid() as varchar) as salt
