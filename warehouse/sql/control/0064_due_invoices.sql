-- The index of open invoices has their days too, under the name invoices_due: a migration makes all missing indexes.
drop index if exists ninja.invoices_open
