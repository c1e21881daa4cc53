-- One row per field that differs between a version of a client and the one before it, as texts for people.
-- changed_at: since when the later version is valid. observed_at, run_id: when it was seen, and by which run. A field of
-- a contact or document is named by its id, as in contacts.Wpmbk5ezJn.email. '' stands for nothing. Stamps that move
-- without a change are left out, and so are clients that are new (client_history) or vanished (client_redirects).
create view mart.client_changes as
select source, id, display_name, field, before, after, changed_at, observed_at, run_id from control.client_changes
