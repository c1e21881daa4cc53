-- In how many rows of which table a client stands.
select 'contacts' as what, count(*) as n from ninja.contacts where source = $source and client_id = $id
union all select 'documents', count(*) from ninja.documents where source = $source and client_id = $id
union all select 'activities', count(*) from ninja.activities where source = $source and client_id = $id
union all select 'versions', count(*) from control.client_versions where source = $source and id = $id
union all select 'changes', count(*) from control.client_changes where source = $source and id = $id
union all select 'redirects', count(*) from control.redirects where source = $source and id = $id
union all select 'records in quarantine', count(*) from control.quarantine where source = $source and id = $id
union all select 'wishes', count(*) from control.outbox where source = $source and id = $id
union all select 'edits', count(*) from control.journal_edits where source = $source and id = $id
union all select 'plan cells', count(*) from control.plan_cells where source = $source and id = $id
union all select 'outcomes', count(*) from control.outcomes where source = $source and id = $id
union all select 'merges', count(*) from control.merge_steps where source = $source and (survivor_id = $id or mergeable_id = $id)
union all select 'duplicate decisions', count(*) from control.duplicate_decisions where source = $source and (id_a = $id or id_b = $id)
union all select 'duplicate pairs', count(*) from control.duplicate_pairs where source = $source and (id_a = $id or id_b = $id)
union all select 'duplicate clusters', count(*) from control.duplicate_clusters where source = $source and id = $id
union all select 'chosen survivors', count(*) from control.chosen_survivors where source = $source and id = $id
