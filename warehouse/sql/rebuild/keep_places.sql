-- Remember to which parent each child belongs, before the table is made anew.
create temp table places_{child} as select distinct source, id, {parent} as parent from ninja.{child}
