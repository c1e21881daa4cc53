-- One table for all plans: `kind` is push (values change) or merge (clients are merged).
alter table control.plans add column kind varchar default 'push'
