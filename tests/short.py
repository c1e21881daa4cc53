"""What `make test` runs of the files that take long: one of every kind. All else in them is left to `make proof`.

A name with brackets is one of a test's cases: its id has that text in it. Of the other files `make test` runs all that
has no mark `proof` or `quick`; of tests on both engines see `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENGINES = {
    # Where the rows are kept, on Postgres: the flows, the faults and the kills try DuckDB.
    "tests/warehouse/control/": "postgres",
    "tests/warehouse/load/": "postgres",
    "tests/warehouse/mart/": "postgres",
    "tests/warehouse/opened/": "postgres",
    "tests/warehouse/publish/": "postgres",
    "tests/warehouse/schema/": "postgres",
    "tests/crashes/": "duckdb",
    "tests/flows/": "duckdb",
}
"""The engine of tests that could be on either, by folder."""

ON_BOTH = ("tests/flows/ask/test_questions.py", "tests/flows/on_postgres/", "tests/flows/push/test_push_resume.py")
"""Flows on both."""

KEPT: dict[str, tuple[str, ...]] = {
    "tests/connector/scan/test_skew.py": (
        "test_every_zone_is_measured_so_that_nothing_is_hidden_and_little_comes_again",
        "test_a_server_in_utc_costs_two_requests",
        "test_a_filter_without_effect_has_no_skew",
        "test_without_a_newest_record_nothing_is_asked",
        "test_a_list_that_changes_all_the_time_cannot_be_measured",
        "test_a_newest_record_that_cannot_be_read_cannot_be_measured_by",
        "test_a_server_that_is_down_is_not_an_unknown_skew",
    ),
    "tests/crashes/test_kills.py": (
        "test_a_load_in_two_commits_would_be_caught",
        "test_a_first_pull_that_dies_as_a_phase_begins_leaves_nothing_or_all",
    ),
    "tests/crashes/test_migrations_killed.py": (
        "test_an_upgrade_that_is_killed_leaves_the_old_version_or_the_new_one_with_all_rows[0]",
    ),
    "tests/crashes/test_restored.py": (),
    "tests/crashes/test_signals.py": ("test_a_pull_whose_requests_hang_ends_before_they_do",),
    "tests/crashes/test_two_at_once.py": ("test_pulls_that_may_not_wait_say_busy_and_name_the_process_that_pulls",),
    "tests/flows/ask/test_balances.py": (
        "test_a_date_means_its_end_and_a_time_is_in_utc_unless_it_says_otherwise",
        "test_what_is_no_moment_is_refused_with_an_example",
        "test_balances_as_of_a_moment_are_those_that_were_read_then",
        "test_before_the_first_pull_nothing_is_known",
    ),
    "tests/flows/ask/test_export.py": (
        "test_each_view_is_a_file_by_source_and_a_table_equal_to_the_view",
        "test_without_personal_data_no_file_holds_a_person",
        "test_no_text_of_a_csv_is_a_formula_and_none_is_lost",
        "test_what_a_spreadsheet_could_take_for_a_formula_gets_an_apostrophe",
        "test_times_and_negative_amounts_stay_what_they_are",
    ),
    "tests/flows/ask/test_currencies.py": (
        "test_codes_are_repeated_or_listed_in_any_case",
        "test_a_code_that_is_not_there_is_refused_unless_there_is_none",
        "test_other_rows_are_left_out",
        "test_a_command_has_only_the_currencies_asked_for[aging]",
    ),
    "tests/flows/ask/test_notebook.py": (
        "test_its_tables_hold_the_figures_of_the_warehouse_now_and_on_a_day[EUR]",
        "test_marimo_finds_no_fault_in_it",
    ),
    "tests/flows/ask/test_reconciliation.py": (
        "test_a_merge_that_dies_before_documents_move_is_named_with_the_other_client[1]",
        "test_the_figures_of_a_new_sandbox_agree_with_its_documents",
    ),
    "tests/flows/ask/test_netted_figures.py": ("test_no_line_has_a_net_without_both_sides[balances]",),
    "tests/flows/ask/test_aging_page.py": (
        "test_the_sums_and_the_deleted_clients_are_the_commands[day1]",
        "test_pages_hold_each_client_of_the_currency_once_in_order[None]",
        "test_figures_are_kept_until_a_load_changes_something",
        "test_a_day_that_has_not_come_and_an_unknown_source_are_refused",
    ),
    "tests/flows/ask/test_client_list.py": (
        "test_vanished_clients_are_listed_with_their_fate_and_without_a_balance",
        "test_country_currency_and_group_narrow_the_list",
        "test_each_problem_has_its_clients",
        "test_the_orders_are_those_of_people",
    ),
    "tests/flows/dedupe/test_decide.py": (
        "test_a_decision_over_one_that_the_person_has_not_seen_is_not_noted",
        "test_what_was_decided_before_counts_again_whatever_it_was[same_as]",
        "test_a_colleagues_later_decision_stays_if_mine_is_taken_back",
        "test_the_terminal_shows_a_colleagues_decision_and_asks_again",
        "test_a_review_is_undone_step_by_step_and_says_what_comes_next",
    ),
    "tests/flows/dedupe/test_groups.py": (
        "test_the_money_of_a_group_is_the_servers_by_currency",
        "test_pages_in_any_order_hold_each_group_once",
    ),
    "tests/flows/desk/pages/test_clients.py": (
        "test_the_list_has_the_sums_of_the_server_side_by_side",
        "test_a_search_is_kept_on_the_server_and_its_text_is_in_no_url",
        "test_a_client_is_shown_with_its_figures_labels_history_and_what_was_merged_into_it",
        "test_a_refused_value_is_explained_at_its_field_and_nothing_is_queued",
    ),
    "tests/flows/desk/pages/test_corrections.py": (
        "test_an_edit_in_the_grid_is_checked_before_it_goes_into_a_plan",
        "test_a_doubt_is_a_choice_on_the_page",
        "test_hostile_texts_do_no_harm_and_come_back_as_they_were",
        "test_another_person_does_not_see_the_file",
    ),
    "tests/flows/desk/pages/test_corrections_in_browser.py": (),
    "tests/flows/desk/pages/test_duplicates.py": (
        "test_a_review_decides_moves_on_undoes_and_ends_with_the_next_step",
        "test_a_colleagues_decision_is_shown_and_never_overwritten_unseen",
    ),
    "tests/flows/desk/pages/test_duplicates_in_browser.py": (),
    "tests/flows/desk/pages/test_health.py": (
        "test_the_brake_names_the_clients_and_removes_them_for_their_number_only",
        "test_a_person_states_an_outcome_only_after_looking",
    ),
    "tests/flows/desk/pages/test_health_in_browser.py": (),
    "tests/flows/desk/pages/test_merges.py": (
        "test_a_pair_is_looked_at_merged_once_and_shown_with_the_servers_figures",
        "test_work_that_was_killed_after_a_merge_goes_on_and_merges_nobody_twice",
        "test_a_second_click_and_a_colleague_merge_nothing_twice",
        "test_another_digest_than_the_one_shown_is_refused",
        "test_the_password_is_kept_nowhere",
    ),
    "tests/flows/desk/pages/test_merges_in_browser.py": (),
    "tests/flows/desk/pages/test_plans.py": (
        "test_a_second_click_on_apply_sends_nothing",
        "test_a_rejected_plan_is_not_applied_and_its_reason_is_shown_as_text",
        "test_another_digest_than_that_of_the_page_does_nothing[apply]",
        "test_more_clients_than_allowed_are_sent_only_after_their_number_is_typed",
    ),
    "tests/flows/desk/pages/test_receivables.py": (
        "test_the_files_hold_the_figures_of_the_servers_lists[0]",
        "test_the_page_shows_the_sums_of_each_currency_and_each_client_of_one[45]",
        "test_the_open_items_of_a_client_stand_on_its_page",
        "test_hostile_names_do_no_harm",
    ),
    "tests/flows/desk/pages/test_receivables_in_browser.py": (),
    "tests/flows/desk/pages/test_statements.py": (
        "test_all_are_fetched_as_a_zip_but_who_was_left_out_or_has_paid_since",
        "test_mails_need_their_number_and_nobody_is_mailed_twice",
    ),
    "tests/flows/desk/test_shared_in_browser.py": (),
    "tests/flows/ask/plots/test_aging.py": (
        "test_it_says_company_day_sums_names_and_ages[client-due]",
        "test_a_currency_has_a_bar_for_each_age",
        "test_the_stacked_bars_of_a_client_add_up_to_what_it_owes_and_overpaid_takes_no_room",
    ),
    "tests/flows/ask/plots/test_page.py": (
        "test_each_format_opens",
        "test_no_two_texts_of_the_page_overlap[3]",
        "test_amounts_have_the_decimals_of_their_currency_and_are_rounded",
    ),
    "tests/flows/ask/plots/test_balances.py": (
        "test_it_says_whose_balances_of_when_and_what_is_left_out",
        "test_formulas_and_control_characters_are_text",
        "test_nothing_to_draw_and_other_formats_are_refused",
    ),
    "tests/flows/cli/test_cli.py": (
        "test_a_first_session",
        "test_json_is_one_document_with_money_as_exact_text",
        "test_bad_input_gets_a_clear_error_and_its_exit_code",
        "test_a_server_that_is_not_there_is_said_so",
        "test_quarantine_ends_with_exit_code_7_and_is_told",
        "test_sources_of_a_configuration_file_are_pulled_one_after_the_other",
        "test_every_command_but_those_that_serve_or_tour_has_json",
    ),
    "tests/flows/cli/clients/test_bulk.py": (
        "test_what_became_of_each_client_is_told_and_the_exit_code_is_4_where_one_is_not_as_wanted",
    ),
    "tests/flows/cli/clients/test_files.py": (
        "test_upload_tells_what_is_there_now",
        "test_statement_of_all_with_a_balance",
    ),
    "tests/flows/cli/clients/test_read.py": (
        "test_a_client_is_shown_with_its_contacts_and_no_way_into_its_portal",
        "test_a_list_is_filtered_sorted_and_cut_and_says_how_many_more_there_are",
    ),
    "tests/flows/cli/clients/test_write.py": (
        "test_a_client_is_made_and_changed_and_each_call_is_in_the_journal",
        "test_a_wrong_call_says_what_is_right",
    ),
    "tests/flows/cli/test_merge.py": ("test_from_a_plan_to_the_sheet",),
    "tests/flows/cli/test_push.py": ("test_from_a_query_to_an_undo",),
    "tests/flows/cli/test_setup.py": (
        "test_init_asks_stores_the_token_and_looks_whether_all_is_well_and_adds_a_second_company",
    ),
    "tests/flows/configuration/test_warehouse_names.py": (
        "test_a_run_through_one_name_keeps_off_those_through_another",
        "test_what_is_neither_a_path_nor_a_url_of_postgres_is_refused_and_not_shown",
        "test_unusual_paths_are_paths",
        "test_links_in_a_circle_are_refused",
        "test_names_that_another_user_has_prepared_beside_a_warehouse_are_refused[.wal]",
    ),
    "tests/flows/dedupe/test_find.py": ("test_people_with_slips_of_the_pen_are_found_by_name_and_address_alone",),
    "tests/flows/merge/test_merge_kills.py": (
        "test_killed_at_any_request_and_resumed_nobody_is_merged_twice[behind its answer]",
    ),
    "tests/flows/merge/test_merge_kills_5_12.py": ("test_the_server_dies_and_so_do_we[3-]",),
    "tests/flows/merge/test_merge_meanwhile.py": (
        "test_what_was_written_after_the_plan_stops_the_merge[values0]",
        "test_what_was_written_after_the_plan_stops_the_merge[values3]",
    ),
    "tests/flows/merge/test_merge_requests.py": (
        "test_the_largest_merge_takes_few_requests_and_reads_the_survivor_once_before_each_write",
        "test_what_somebody_writes_between_the_rescue_and_the_merge_stops_it[balance-True]",
    ),
    "tests/flows/merge/test_merge_rescues.py": (
        "test_a_rescue_of_contacts_that_would_be_refused_is_not_planned",
        "test_a_rescue_that_fails_after_the_merge_is_reported_as_such_and_finished_later[422]",
        "test_a_rescue_that_fails_after_the_merge_is_reported_as_such_and_finished_later[500]",
        "test_what_a_rescue_has_written_is_told_where_its_merge_is_not_sent[currency]",
    ),
    "tests/flows/merge/test_two_operators.py": ("test_of_two_who_apply_one_plan_one_does_and_nobody_is_merged_twice",),
    "tests/flows/on_postgres/test_pooler.py": (
        "test_a_mirror_behind_a_pooler_is_exact_and_leaves_nothing_on_its_sessions[transaction]",
    ),
    "tests/flows/on_postgres/test_postgres.py": (
        "test_the_command_line_does_on_postgres_what_it_does_on_duckdb",
        "test_a_password_in_a_configuration_file_is_refused",
        "test_a_load_whose_connection_is_lost_is_done_once[after it has arrived]",
    ),
    "tests/flows/on_postgres/test_restart.py": ("test_a_load_goes_on_after_a_restart[at its commit-immediate]",),
    "tests/flows/on_postgres/test_rights.py": ("test_a_user_who_may_only_read_is_told_so",),
    "tests/flows/pull/test_activities.py": (
        "test_a_purge_and_a_merge_are_known_by_activities_where_the_server_writes_them[5.12]",
    ),
    "tests/flows/pull/test_clocks.py": ("test_changes_after_a_clock_was_set_right_are_not_missed[five hours]",),
    "tests/flows/pull/test_own_merges.py": (
        "test_a_merge_and_a_purge_of_ours_are_told_by_the_next_pull_as_what_they_were",
    ),
    "tests/flows/pull/test_pull.py": (
        "test_the_tables_equal_the_server_value_by_value",
        "test_the_second_pull_brings_exactly_the_changes",
        "test_an_idle_pull_makes_one_request_and_writes_one_heartbeat_row",
        "test_a_late_commit_within_the_look_back_is_not_lost",
        "test_a_server_in_another_time_zone_hides_nothing[America/St_Johns]",
        "test_a_poison_row_is_named_and_everything_else_is_loaded",
        "test_an_interrupted_pull_goes_on_where_it_stood",
        "test_a_token_that_may_not_see_money_is_refused_and_nothing_is_written",
        "test_another_companys_token_is_refused_before_any_write",
        "test_a_broken_record_waits_in_quarantine_and_the_rest_is_loaded",
        "test_readers_are_not_in_the_way_and_see_the_published_copy",
    ),
    "tests/flows/pull/test_reconcile.py": (
        "test_a_purged_client_is_taken_out_and_stays_in_the_history",
        "test_more_than_the_brake_allows_is_left_and_told_until_somebody_decides",
        "test_clients_hidden_from_this_token_are_never_taken_out",
        "test_a_restored_server_loses_nobody_until_somebody_says_so",
    ),
    "tests/flows/pull/test_recordings.py": (
        "test_the_recorded_clients_are_loaded_value_by_value_money_to_the_last_digit",
    ),
    "tests/flows/scheduled/test_serve.py": (
        "test_no_flow_has_a_parameter_that_leads_elsewhere",
        "test_flows_for_one_source_have_a_deployment_for_each_and_all_are_tagged",
        "test_a_schedule_that_is_none_is_refused",
        "test_the_deployments_for_work_pools_fit_the_flows",
    ),
    "tests/flows/scheduled/test_states.py": (
        "test_a_long_load_is_a_line_and_a_progress_artifact_every_ten_thousand_records",
        "test_a_short_load_has_no_progress_artifact",
        "test_only_a_scheduled_run_waits_once_for_a_part_of_its_jitter",
        "test_how_a_run_ends_by_what_it_found",
        "test_a_source_that_another_process_holds_is_left_to_it_and_told_of_where_it_was_not_read_for_long",
    ),
    "tests/flows/session/test_secrets.py": (
        "test_no_secret_is_in_the_pages_of_an_interrupted_pull",
        "test_every_file_is_private",
        "test_a_secret_that_was_planted_in_a_table_would_be_found",
    ),
    "tests/flows/session/test_writing.py": (
        "test_what_a_killed_process_left_is_settled_before_the_next_write[True]",
        "test_a_merge_that_died_half_way_stops_every_write_until_a_person_has_looked",
        "test_only_the_clock_of_its_own_host_tells_how_old_a_call_is[ahead]",
    ),
    "tests/flows/show/test_output.py": (
        "test_an_answer_goes_where_the_person_says",
        "test_a_link_to_a_file_that_is_not_there_makes_it",
        "test_links_that_lead_in_a_circle_are_refused",
        "test_what_cannot_be_written_leaves_the_file_as_it_was",
        "test_names_that_another_user_could_guess_are_not_used",
    ),
    "tests/flows/stand_in/test_demo.py": ("test_the_sandbox_command_tells_people_what_to_type",),
    "tests/flows/stand_in/test_rehearsal.py": (
        "test_ids_figures_stamps_and_states_are_those_of_the_books",
        "test_canaries_appear_nowhere_in_the_answers",
        "test_equal_values_stay_equal_and_no_word_stays",
        "test_spellings_of_one_name_stay_spellings_of_one_name",
        "test_dates_and_money_are_not_touched",
    ),
    "tests/flows/upkeep/test_erase.py": (
        "test_nothing_of_an_erased_client_is_left_and_there_is_a_proof",
        "test_an_erasure_that_is_killed_is_finished_by_the_next_pull[rewrite]",
    ),
    "tests/flows/upkeep/test_erase_records.py": ("test_nothing_is_left_of_an_erased_clients_documents",),
    "tests/flows/upkeep/test_erase_elsewhere.py": (
        "test_a_client_that_was_staged_before_another_machine_erased_it_does_not_come_back[whole]",
    ),
    "tests/peers/test_head_to_head.py": (
        "test_no_record_is_lost_in_silence[truncated JSON]",
        "test_no_record_is_lost_in_silence[200 with HTML]",
    ),
    "tests/warehouse/publish/test_publish.py": (
        "test_another_process_reads_the_copy_while_the_warehouse_is_open",
        "test_a_reader_keeps_its_copy_while_a_new_one_is_published",
        "test_each_mart_is_a_parquet_file_equal_to_its_view[client_balances]",
        "test_everything_published_is_private_and_nothing_half_written_stays",
        "test_a_run_that_changed_nothing_is_not_published",
        "test_what_is_postponed_is_told_with_the_time_and_the_way_to_have_it_now",
        "test_a_clock_that_went_back_postpones_nothing",
        "test_a_publication_that_was_cut_short_is_due_again_and_leaves_nothing_half_written",
    ),
}


def is_short(node_id: str, params: Mapping[str, object]) -> bool:
    """Whether `make test` runs it, as far as these lists say."""
    file, _, name = node_id.partition("::")
    where = params.get("where")
    generation, engine = where if isinstance(where, tuple) else ("5.10", params.get("place", params.get("engine")))
    wanted = {of for folder, of in ENGINES.items() if file.startswith(folder)}
    if wanted and engine in {"duckdb", "postgres"} - wanted and not file.startswith(ON_BOTH):
        return False
    if generation == "2026":  # of merges, where it is of no account for most
        return False
    test, _, case = name.partition("[")
    kept = [one.rstrip("]").partition("[") for one in KEPT.get(file, (test,))]
    return any(test == one and part in case for one, _, part in kept)


def leave_out(items: list[Any], others: list[Any]) -> None:
    """Run none of the others."""
    if others:
        others[0].config.hook.pytest_deselected(items=others)
        gone = set(others)
        items[:] = [item for item in items if item not in gone]
