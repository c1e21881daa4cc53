"""Mistakes in storing, and in deciding what to store: `warehouse` and `flows`."""

from __future__ import annotations

from tests.planted.mistake import Edit, mistake

LOAD, PULL, RECONCILE = (
    "tests/warehouse/load/test_load.py",
    "tests/flows/pull/test_pull.py",
    "tests/flows/pull/test_reconcile.py",
)
ENTITIES = "tests/flows/pull/test_entities.py"
HISTORY, VANISHED = "tests/warehouse/load/test_history.py", "tests/warehouse/load/test_vanished.py"
STAGING = "tests/warehouse/load/test_staging.py"
ORDER = "order by updated_at desc nulls last, arrival desc"
BEGIN, MOVE = (
    "    with warehouse.transaction(run_id=run.run_id):\n",
    "        _move_watermark(warehouse, scanned, run)\n",
)

MISTAKES = {
    # the load
    "rows and watermark are two commits": mistake(
        Edit(
            "warehouse/load/load.py",
            MOVE,
            "        warehouse.execute('commit')\n        warehouse.execute('begin')\n" + MOVE,
        ),
        by=f"{LOAD}::test_a_failure_at_any_step_leaves_everything_as_it_was[duckdb-_move_watermark]",
    ),
    "the watermark moves before the rows": mistake(
        Edit(
            "warehouse/load/load.py",
            BEGIN + "        warehouse.hold",
            BEGIN + MOVE + BEGIN + "        warehouse.hold",
        ),
        by=f"{LOAD}::test_a_failure_at_any_step_leaves_everything_as_it_was[duckdb-record_run]",
    ),
    "of two versions the first to come is kept": mistake(
        Edit("warehouse/sql/load.sql", ORDER, "order by arrival"),
        by=f"{LOAD}::test_of_two_versions_with_one_stamp_the_later_read_is_the_newer",
    ),
    "of two versions the last to come is kept, however old": mistake(
        Edit("warehouse/sql/load.sql", ORDER, "order by arrival desc"),
        by=f"{LOAD}::test_of_several_versions_in_one_run_the_newest_is_loaded_with_its_own_children",
    ),
    "contacts that left their client stay": mistake(
        Edit(
            "warehouse/sql/load.sql",
            "{parent} in (select id from accepted where outcome in ('updated', 'touched'))",
            "false",
        ),
        by=f"{LOAD}::test_a_contact_that_left_its_client_is_gone",
    ),
    "a contact that moved stays with both clients": mistake(
        Edit("warehouse/sql/load.sql", "and id in (select s.id", "and false and id in (select s.id"),
        Edit("warehouse/load/merge.py", "        if doubled:\n", "        if False:\n"),
        by=f"{LOAD}::test_a_contact_that_moved_is_moved_although_its_old_client_was_not_sent_again",
    ),
    "nobody looks whether an id stands twice": mistake(
        Edit("warehouse/load/merge.py", "        if doubled:\n", "        if False:\n"),
        by=f"{LOAD}::test_an_id_that_would_stand_twice_undoes_the_load",
    ),
    "sources are not told apart": mistake(
        Edit(
            "warehouse/sql/load.sql",
            "from ninja.{entity}\nwhere source = $source and",
            "from ninja.{entity}\nwhere $source is not null and",
        ),
        by=f"{LOAD}::test_two_sources_with_equal_ids_do_not_meet",
    ),
    "a record that does not fit is dropped without a word": mistake(
        Edit(
            "warehouse/load/load.py",
            "        record_quarantine(warehouse, run.source, run.run_id, scanned.quarantined)\n        drift",
            "        drift",
        ),
        by=f"{LOAD}::test_a_record_that_does_not_fit_waits_in_quarantine_until_a_good_version_comes",
    ),
    "a record that cannot be sent is left out without a word": mistake(
        Edit(
            "flows/pull/one_entity.py",
            "aside = [*staging.quarantined, *(poison(job.entity, name) for name in scan.poison)]",
            "aside = [*staging.quarantined]",
        ),
        by=f"{PULL}::test_a_poison_row_is_named_and_everything_else_is_loaded",
    ),
    "balances without a currency of their own have none": mistake(
        Edit(
            "warehouse/sql/mart/clients.sql", "coalesce(c.currency_id, g.currency_id, co.currency_id)", "c.currency_id"
        ),
        by="tests/warehouse/mart/test_mart.py::test_the_currency_is_the_clients_else_its_groups_else_the_companys",
    ),
    # history
    "the version that ends is not kept": mistake(
        Edit(
            "warehouse/load/merge.py",
            '        if entity.historic:\n            step(warehouse, "close_versions"',
            '        if False:\n            step(warehouse, "close_versions"',
        ),
        by=f"{HISTORY}::test_a_changed_client_keeps_its_old_version_whole_until_the_stamp_of_the_new_one",
    ),
    "a version is valid since it was read": mistake(
        Edit("warehouse/sql/load.sql", "then greatest(stamp, at_least)", "then greatest($began, at_least)"),
        by=f"{HISTORY}::test_a_changed_client_keeps_its_old_version_whole_until_the_stamp_of_the_new_one",
    ),
    "a version may be valid before the one before it": mistake(
        Edit("warehouse/sql/load.sql", "then greatest(stamp, at_least)", "then stamp"),
        by=f"{HISTORY}::test_no_version_is_valid_before_the_one_before_it",
    ),
    # vanished clients
    "what is not listed is gone": mistake(
        Edit(
            "flows/pull/reconcile.py",
            "answers[record_id] = presence(job.door, record_id, job.entity)",
            "answers[record_id] = Presence.GONE",
        ),
        by=f"{RECONCILE}::test_clients_hidden_from_this_token_are_never_taken_out",
    ),
    "the brake is off": mistake(
        Edit("flows/pull/reconcile.py", "elif len(ids) > _allowed(job, state):", "elif False:"),
        by=f"{RECONCILE}::test_more_than_the_brake_allows_is_left_and_told_until_somebody_decides",
    ),
    "a restored server is not noticed": mistake(
        Edit("flows/pull/reconcile.py", "job.at_most is None and restored", "False"),
        by=f"{RECONCILE}::test_a_restored_server_loses_nobody_until_somebody_says_so",
    ),
    "a server that denies everything is believed": mistake(
        Edit("flows/pull/reconcile.py", "and not _has_a_witness(job, scan, known)", "and False"),
        by=f"{RECONCILE}::test_a_server_that_denies_what_it_lists_is_not_believed",
    ),
    "contacts that moved to the survivor go with the one that was merged away": mistake(
        Edit(
            "warehouse/sql/load.sql",
            "and {parent} in (select id from ended)",
            "and id in (select unnest(v.record->>'$.contacts[*].id') from control.client_versions as v "
            "where v.id in (select id from ended))",
        ),
        by=f"{VANISHED}::test_the_contacts_that_moved_to_the_survivor_stay",
    ),
    "any note of a merge in a ledger is believed": mistake(
        Edit("flows/pull/reconcile.py", "if n.name in names and n.at >= alive and (any", "if (any"),
        by=f"{RECONCILE}::test_a_ledgers_note_of_another_merge_does_not_make_a_purge_a_merge",
    ),
    "a note from before a client was seen is believed": mistake(
        Edit("flows/pull/reconcile.py", " and n.at >= alive", ""),
        by=f"{RECONCILE}::test_a_ledger_row_from_before_the_client_was_known_is_no_evidence",
    ),
    "what was held is forgotten": mistake(
        Edit("flows/pull/reconcile.py", "job.at_most is None and state.held", "False"),
        by=f"{RECONCILE}::test_what_was_held_is_not_taken_out_later_by_itself",
    ),
    "one note in a ledger is believed twice": mistake(
        Edit("flows/pull/reconcile.py", "    if len(fitting) <= len(known):\n", "    if not fitting:\n"),
        by=f"{RECONCILE}::test_two_merges_of_clients_with_one_name_are_both_told_and_a_purge_is_not_taken_for_a_third",
    ),
    "a client that came in this very run is taken out": mistake(
        Edit(
            "warehouse/sql/load.sql",
            "where not exists (select 1 from accepted as a where a.id = v.id)",
            "",
        ),
        by=f"{VANISHED}::test_a_client_that_was_read_in_this_run_has_not_vanished",
    ),
    # runs
    "nothing to do, although the totals disagree": mistake(
        Edit("flows/pull/known.py", "known.surplus == (state.unexplained or 0)\n", "True\n"),
        by=f"{RECONCILE}::test_a_purged_client_is_taken_out_and_stays_in_the_history",
    ),
    "nothing to do, although a late commit may follow": mistake(
        Edit("flows/pull/known.py", "> stamp(look.newest) + job.source.look_back", "> 0"),
        by=f"{PULL}::test_a_late_commit_within_the_look_back_is_not_lost[alone]",
    ),
    # several entities
    "records of two kinds with one id share their history": mistake(
        Edit("warehouse/schema/archive.py", '"true" if own else f"entity = \'{entity.name}\'"', '"true"'),
        by="tests/warehouse/load/test_load_entities.py::test_records_of_two_kinds_with_one_id_do_not_meet",
    ),
    "one entity's failure hides itself": mistake(
        Edit("flows/pull/failures.py", "        if not self._errors:\n            return", "        return"),
        by=f"{ENTITIES}::test_the_failure_of_one_entity_leaves_the_others_loaded_and_is_raised",
    ),
    "documents of a purged client meet the brake": mistake(
        Edit("flows/pull/reconcile.py", "expected = own or bereaved(", "expected = own and bereaved("),
        by=f"{ENTITIES}::test_documents_vanish_with_their_purged_client_and_need_no_brake",
    ),
    "documents of an erased client are loaded": mistake(
        Edit(
            "flows/pull/stage.py", "if not (erased.marks and entity.client_column):", "if entity.client_column != 'id':"
        ),
        Edit(
            "warehouse/load/staging.py", "if erased.marks and entity.client_column:", "if entity.client_column == 'id':"
        ),
        by="tests/flows/upkeep/test_erase_records.py"
        "::test_documents_of_an_erased_client_are_left_out_while_the_server_lists_them",
    ),
    "another company's token is accepted": mistake(
        Edit("warehouse/control/state.py", "if known is None or known == binding:", "if True:"),
        by="tests/warehouse/control/test_state.py::test_a_bound_source_refuses_another_company_and_another_server",
    ),
    "a page that was torn or edited on disk is taken up": mistake(
        Edit(
            "warehouse/load/staging.py",
            "return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest",
            "return path.exists()",
        ),
        by=f"{STAGING}::test_every_flipped_byte_of_a_page_is_noticed",
    ),
    "pages of another scan are taken up": mistake(
        Edit("warehouse/load/staging.py", "manifest[0].key != key or ", ""),
        by=f"{STAGING}::test_pages_of_another_scan_are_not_taken_up",
    ),
    "pages of yesterday are taken up": mistake(
        Edit("warehouse/load/staging.py", "max(ages) > STALE or ", ""),
        by=f"{STAGING}::test_pages_older_than_an_hour_are_read_anew",
    ),
    "whoever has an account here can read the warehouse": mistake(
        Edit("warehouse/engine/private.py", "os.umask(OWNER_ONLY)", "os.umask(0o022)"),
        by="tests/warehouse/engine/test_private.py::test_the_umask_is_put_back_by_whoever_closes_last",
    ),
    "two runs of one source go on at once": mistake(
        Edit(
            "warehouse/locks/lock.py",
            "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
            "fcntl.flock(descriptor, fcntl.LOCK_UN)",
        ),
        by="tests/warehouse/locks/test_lock.py::test_the_second_run_waits_and_then_names_the_process_of_the_first",
    ),
    "a publication that failed is not made up for": mistake(
        Edit("warehouse/publish/publish.py", "if whole and shown == changed:", "if whole or changed:"),
        by="tests/warehouse/publish/test_publish.py::test_a_run_that_ended_before_it_published_is_made_up_for_once",
    ),
}
