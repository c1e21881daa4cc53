-- Plans, of changes and of merges: storing and applying them.

-- :name calls
-- The number of calls that a plan has sent.
select count(*) from control.journal where source = $source and plan_id = $plan_id and state = 'intended'

-- :name cells
-- The cells of a plan, in their order.
select id, field, before, after, by_put from control.plan_cells
where source = $source and plan_id = $plan_id
order by id collate "C", field collate "C"

-- :name figures_now
-- The figures of mirrored clients, and the end of the last run that read their source.
select
    id, currency_code, balance, paid_to_date, credit_balance, payment_balance,
    (select max(finished_at) from control.runs where source = $source and entity = 'clients') as loaded_at
from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name find
-- A plan of this kind by its id, whatever its source.
select
    p.source, p.plan_id, p.kind, p.made_at, p.expires_at, p.base_at, p.newest_at, p.author, p.reason, p.company, p.version,
    p.undoes, p.digest, p.state, p.applied_at, r.rejected_by, r.rejected_at, r.comment
from control.plans as p
left join control.rejections as r on r.source = p.source and r.plan_id = p.plan_id
where p.plan_id = $plan_id and p.kind = $kind

-- :name insert
-- Store a plan.
insert into control.plans (
    source, plan_id, kind, made_at, expires_at, base_at, newest_at, author, reason, company, version, undoes, digest, state
) values (
    $source, $plan_id, $kind, $made_at, $expires_at, $base_at, $newest_at, $author, $reason, $company, $version, $undoes,
    $digest, 'planned'
)

-- :name insert_cells
-- Store the cells of a plan.
insert into control.plan_cells
select
    $source, $plan_id, unnest(cast($ids as varchar[])), unnest(cast($fields as varchar[])),
    cast(unnest(cast($befores as varchar[])) as json), cast(unnest(cast($afters as varchar[])) as json),
    unnest(cast($by_puts as boolean[]))

-- :name insert_outcomes
-- Note the outcomes of cells.
insert into control.outcomes
select
    $source, $plan_id, unnest(cast($ids as varchar[])), unnest(cast($fields as varchar[])),
    unnest(cast($outcomes as varchar[])), unnest(cast($messages as varchar[])), $noted_at

-- :name insert_steps
-- Store the merges of a plan.
insert into control.merge_steps
select
    $source, $plan_id, unnest(cast($places as bigint[])), unnest(cast($survivors as varchar[])),
    unnest(cast($mergeables as varchar[])), cast(unnest(cast($told as varchar[])) as json), 'planned', null, null

-- :name journaled
-- The journal's edits of a plan, with the outcomes and messages.
select e.id, e.after, e.outcome, coalesce(s.message, '') as message
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
left join control.journal as s on s.source = e.source and s.call_id = e.call_id and s.state = 'settled'
where e.source = $source and j.plan_id = $plan_id
order by j.number, e.place

-- :name merged
-- The clients that a plan has merged away, by the journal.
select e.id
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
where e.source = $source and j.plan_id = $plan_id and j.verb = 'merge' and e.place = 1 and e.outcome = 'applied'

-- :name merges_checked
-- The clients that a plan merged into others, with the outcome for the client kept, the newest call last.
select merged.id, kept.outcome
from control.journal as j
join control.journal_edits as kept on kept.source = j.source and kept.call_id = j.call_id and kept.place = 0
join control.journal_edits as merged on merged.source = j.source and merged.call_id = j.call_id and merged.place = 1
where j.source = $source and j.plan_id = $plan_id and j.verb = 'merge' and j.state = 'intended'
order by j.number

-- :name of_backup
-- The plan with the merge that has this backup.
select plan_id from control.merge_steps where backup = $backup

-- :name outcomes
-- The noted outcomes of a plan's cells.
select id, field, outcome, message from control.outcomes
where source = $source and plan_id = $plan_id
order by id collate "C", field collate "C"

-- :name papers
-- The numbers and dates of documents and payments, by their kind and id.
select 'invoice' as kind, id, number, date from ninja.invoices
where source = $source and id in (select unnest(cast($ids as varchar[])))
union all
select 'payment', id, number, date from ninja.payments
where source = $source and id in (select unnest(cast($ids as varchar[])))
union all
select 'credit', id, number, date from ninja.credits
where source = $source and id in (select unnest(cast($ids as varchar[])))
union all
select 'quote', id, number, date from ninja.quotes
where source = $source and id in (select unnest(cast($ids as varchar[])))
union all
select 'recurring_invoice', id, number, null from ninja.recurring_invoices
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name queue_again
-- Have changes of the outbox wait for a plan again.
update control.outbox set plan_id = null where cast(wish_id as varchar) in (select unnest(cast($changes as varchar[])))

-- :name refuse_sources
-- Refuse the waiting changes of unknown sources, with a reason that their authors see.
update control.outbox set plan_id = $why
where plan_id is null and source not in (select unnest(cast($known as varchar[])))
returning id, field

-- :name remove_outcomes
-- Remove the outcomes of cells of a plan, before they are noted again.
delete from control.outcomes
where source = $source and plan_id = $plan_id
    and exists (
        select 1 from (select unnest(cast($ids as varchar[])) as id, unnest(cast($fields as varchar[])) as field) as told
        where told.id = outcomes.id and told.field = outcomes.field
    )

-- :name set_state
-- Note the state of a plan, unless somebody has rejected it.
update control.plans set state = $state, applied_at = $applied_at
where source = $source and plan_id = $plan_id and state <> 'rejected'
returning plan_id

-- :name set_step
-- Note the state of one merge of a plan.
update control.merge_steps set state = $state, backup = coalesce($backup, backup), noted_at = $noted_at
where source = $source and plan_id = $plan_id and place = $place

-- :name steps
-- The merges of a plan, in their order.
select place, told, state, backup from control.merge_steps
where source = $source and plan_id = $plan_id
order by place

-- :name steps_noted
-- When the state of each merge of a plan was noted.
select place, noted_at from control.merge_steps where source = $source and plan_id = $plan_id

-- :name take_up
-- Note the plan that took up these changes of the outbox, and return those that are still there.
update control.outbox set plan_id = $plan_id
where source = $source and cast(wish_id as varchar) in (select unnest(cast($wish_ids as varchar[])))
returning wish_id

-- :name under_way
-- The plans of a source that were begun and have not ended.
select kind, plan_id from control.plans where source = $source and state = 'applying' order by made_at

-- :name wish
-- Queue one change in the outbox.
insert into control.outbox (source, id, field, value, reason, author, wished_at)
values ($source, $id, $field, $value, $reason, $author, $wished_at)

-- :name withdraw
-- Remove changes from the outbox.
delete from control.outbox where cast(wish_id as varchar) in (select unnest(cast($changes as varchar[])))
