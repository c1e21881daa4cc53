-- Whether the last load met an empty list with a token that may not see the whole company.
alter table control.watermarks add column blind boolean
