-- One row per field that changed between two versions of a client, as texts for people.
-- changed_at: start of the later version. observed_at, run_id: when a run saw it, and which run. The field of a contact or
-- document is named by its id, as in contacts.Wpmbk5ezJn.email. '' is an empty value. Left out are stamps that moved
-- without a change, new clients (see client_history) and vanished clients (see client_redirects).
create view mart.client_changes as
select source, id, display_name, field, before, after, changed_at, observed_at, run_id from control.client_changes
