-- The schema of views without personal data. Its place among the migrations has older versions refuse this warehouse.
create schema if not exists mart_public
