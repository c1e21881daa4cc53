-- Erase a client, or data that is older than its retention.

-- :name approval_comments
-- Remove the comments on approvals of plans with an erased client: people write names there.
update control.approvals set comment = null
where source = $source and comment is not null and plan_id in (
    select plan_id from control.plan_cells where source = $source and id = $id
    union
    select plan_id from control.merge_steps where source = $source and (survivor_id = $id or mergeable_id = $id)
)

-- :name close_version
-- Keep the figures of an erased client's current version, under a pseudonym.
insert into control.client_versions (
    source, id, valid_from, valid_to, observed_at, ended_at, ended_by, run_id, ended_run_id, row_hash, updated_at,
    balance, paid_to_date, payment_balance, credit_balance, currency_id, is_deleted, archived_at, record
)
select
    source, $pseudonym, valid_from, greatest($now, valid_from), observed_at, $now, 'erased', observed_run_id, run_id, '',
    updated_at, balance, paid_to_date, payment_balance, credit_balance, currency_id, is_deleted, archived_at,
    cast('{}' as json)
from ninja.clients
where source = $source and id = $id

-- :name expired_changes
-- Remove the changes before a moment.
delete from control.client_changes where source = $source and changed_at < $before

-- :name expired_forms
-- Remove the comparable forms of clients that are gone, and all forms if duplicates were last found before a moment:
-- they may be of versions that ended then. Without them, the next search compares all clients.
delete from control.duplicate_forms
where source = $source and (
    id not in (select id from ninja.clients where source = $source)
    or (select max(found_at) from control.duplicate_pairs where source = $source) < $before
)

-- :name expired_quarantine
-- Remove the quarantined records that were resolved by runs that ended before a moment.
delete from control.quarantine
where source = $source
    and resolved_run_id in (select run_id from control.runs where source = $source and finished_at < $before)

-- :name expired_records
-- Remove the whole record from the versions that ended before a moment; keep the figures and names.
update control.client_versions set record = cast('{}' as json)
where source = $source and valid_to < $before and cast(record as varchar) <> '{}'

-- :name expired_record_changes
-- Remove the changes of invoices and the like before a moment.
delete from control.record_changes where source = $source and changed_at < $before

-- :name expired_record_versions
-- Remove the versions of invoices and the like that ended before a moment.
delete from control.record_versions where source = $source and valid_to < $before

-- :name expired_whole_records
-- Remove the whole record from the versions of invoices and the like that ended before a moment; keep the figures.
update control.record_versions set record = cast('{}' as json)
where source = $source and valid_to < $before and cast(record as varchar) <> '{}'

-- :name expired_versions
-- Remove the versions that ended before a moment.
delete from control.client_versions where source = $source and valid_to < $before

-- :name finish
-- Note that no file holds erased clients any more.
update control.erasures set finished_at = $now where finished_at is null

-- :name keep_versions
-- Keep only the figures of an erased client's versions, under a pseudonym.
update control.client_versions
set id = $pseudonym, number = null, name = null, display_name = null, group_settings_id = null, country_id = null,
    row_hash = '', record = cast('{}' as json)
where source = $source and id = $id

-- :name known
-- The name of a present or former client: from the mirror, else from its last version.
select display_name, here
from (
    select display_name, true as here, cast(null as timestamp with time zone) as valid_to
    from ninja.clients
    where source = $source and id = $id
    union all
    select display_name, false as here, valid_to from control.client_versions where source = $source and id = $id
) as versions
order by here desc, valid_to desc
limit 1

-- :name merge_steps
-- Remove all merges with an erased client, and later merges of the same plan that may hold data rescued from it: those of
-- the clients it goes into.
delete from control.merge_steps
where source = $source and (plan_id, place) in (
    with recursive holds (plan_id, id) as (
        select plan_id, cast($id as varchar) from control.merge_steps
        where source = $source and (survivor_id = $id or mergeable_id = $id)
        union
        select step.plan_id, step.survivor_id
        from holds
        join control.merge_steps as step on step.plan_id = holds.plan_id and step.mergeable_id = holds.id
        where step.source = $source
    )
    select step.plan_id, step.place
    from holds
    join control.merge_steps as step on step.plan_id = holds.plan_id
    where step.source = $source and (step.survivor_id = holds.id or step.mergeable_id = holds.id)
)

-- :name pending
-- The sources with erasures whose files are still to be cleaned.
select distinct source from control.erasures where finished_at is null order by source

-- :name plan_reasons
-- Remove the reasons of plans with an erased client.
update control.plans set reason = ''
where source = $source and reason <> '' and plan_id in (
    select plan_id from control.plan_cells where source = $source and id = $id
    union
    select plan_id from control.merge_steps where source = $source and (survivor_id = $id or mergeable_id = $id)
)

-- :name prove
-- Note that a client was erased, and that its files are still to be cleaned.
insert into control.erasures (source, mark, reason, erased_at, finished_at, listed, kept_balances, removed)
values ($source, $mark, $reason, $now, null, $listed, $kept_balances, $removed)

-- :name rejection_comments
-- Remove the comments on rejections of plans with an erased client.
update control.rejections set comment = ''
where source = $source and comment <> '' and plan_id in (
    select plan_id from control.plan_cells where source = $source and id = $id
    union
    select plan_id from control.merge_steps where source = $source and (survivor_id = $id or mergeable_id = $id)
)

-- :name remember
-- Note an erasure again in a warehouse restored from an older backup; its files are still to be cleaned.
insert into control.erasures (source, mark, reason, erased_at, finished_at, listed, kept_balances, removed)
values ($source, $mark, $reason, $erased_at, null, $listed, $kept_balances, $removed)
