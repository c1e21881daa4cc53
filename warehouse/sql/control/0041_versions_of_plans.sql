-- The server's version when a plan was made, by which the figures of merges are foreseen.
alter table control.plans add column version varchar default ''
