-- Whether the last full pass left missing clients on purpose: then they are left until somebody says how many may go.
alter table control.watermarks add column held boolean
