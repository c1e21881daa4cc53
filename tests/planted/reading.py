"""Mistakes in asking, reading and understanding: `connector` and `schemas`."""

from __future__ import annotations

from tests.planted.mistake import Edit, mistake

SCAN, MODEL = "tests/connector/scan/test_scan.py", "tests/connector/scan/test_scan_model.py"
DOOR, PULL, RANGES = (
    "tests/connector/door/test_faults.py",
    "tests/flows/pull/test_pull.py",
    "tests/connector/scan/test_ranges.py",
)

ROUNDED = "float_hook=lambda text: Decimal(str(float(text)))"

MISTAKES = {
    # the watermark
    "the watermark comes from the clock of this machine": mistake(
        Edit("connector/scan/scan.py", "min(scan.newest_seen, scan.look.began) -", "int(__import__('time').time()) -"),
        by=f"{SCAN}::test_the_watermark_is_the_newest_stamp_or_the_servers_clock_less_the_look_back",
    ),
    "the watermark is the newest stamp and one second": mistake(
        Edit(
            "connector/scan/scan.py",
            "max(1, min(scan.newest_seen, scan.look.began) - look_back)",
            "scan.newest_seen + 1",
        ),
        by=f"{PULL}::test_a_late_commit_within_the_look_back_is_not_lost[beside a newer change]",
    ),
    "the watermark has no look-back": mistake(
        Edit("connector/scan/scan.py", "min(scan.newest_seen, scan.look.began) - look_back", "scan.newest_seen"),
        by=f"{PULL}::test_a_late_commit_within_the_look_back_is_not_lost[alone]",
    ),
    "a stamp in the future carries the watermark along": mistake(
        Edit("connector/scan/scan.py", "min(scan.newest_seen, scan.look.began) -", "scan.newest_seen -"),
        by=f"{SCAN}::test_the_watermark_is_the_newest_stamp_or_the_servers_clock_less_the_look_back",
    ),
    # the scan
    "page 2, page 3 … in place of a cursor": mistake(
        Edit(
            "connector/scan/keyset.py",
            '"per_page": wanted, **since(scan, cursor)})',
            '"per_page": wanted, "page": (number := number + 1), **since(scan, span[0])})',
        ),
        Edit("connector/scan/keyset.py", "    cursor, end = span\n", "    cursor, end = span\n    number = 0\n"),
        Edit(
            "connector/scan/keyset.py",
            "if cursor == before and wanted <= page.per_page:",
            "wanted = size\n        if False:",
        ),
        by=f"{MODEL}::test_no_history_loses_a_row_or_keeps_an_old_version[16-0.2-UTC-]",
    ),
    "the cursor goes on behind the last second": mistake(
        Edit("connector/scan/keyset.py", "return last if last >", "return last + 1 if last >"),
        by=f"{MODEL}::test_no_history_loses_a_row_or_keeps_an_old_version[16-0.2-UTC-]",
    ),
    "reading stops at the total that the server has told": mistake(
        Edit(
            "connector/scan/keyset.py",
            "    for place, span in enumerate(spans):",
            "    came = 0\n    for place, span in enumerate(spans):",
        ),
        Edit(
            "connector/scan/keyset.py",
            "            yield seen(scan, step.records)\n",
            "            yield seen(scan, step.records)\n            came += len(step.records)\n"
            "            if span[0] is None and came >= (scan.look.total or 0):\n                return\n",
        ),
        by=f"{SCAN}::test_a_total_that_is_missing_or_wrong_stops_nothing",
    ),
    "one walk is believed": mistake(
        Edit(
            "connector/scan/walk.py",
            "        if not fresh and known.keys() <= came.keys():\n            return",
            "        return",
        ),
        by=f"{SCAN}::test_a_row_lost_behind_a_purged_one_beside_poison_is_found_by_the_next_walk",
    ),
    "a page of a walk need not continue the one before": mistake(
        Edit(
            "connector/scan/chain.py", "if number > 1 and not _continues(page, self._known, self._began):", "if False:"
        ),
        by=f"{SCAN}::test_rows_that_move_up_behind_purged_ones_are_not_missed_by_a_walk",
    ),
    "an idle pull reads the look-back in pages of the usual size": mistake(
        Edit("connector/scan/scan.py", "scan.recent >= scan.page_size", "False"),
        by="tests/connector/scan/test_mass_changes.py",
    ),
    "a whole page of one second is taken for the end of that second": mistake(
        Edit(
            "connector/scan/keyset.py",
            "        wanted = _next_size(scan, page, cursor, size, ceiling)\n",
            "        cursor, wanted = (cursor or 0) + (cursor == before), size\n",
        ),
        by=f"{SCAN}::test_a_page_of_one_second_grows_and_shrinks_again",
    ),
    "the time zone of the server is not looked at": mistake(
        Edit("connector/scan/state.py", "cursor - (scan.skew or 0)", "cursor"),
        by=f"{SCAN}::test_the_skew_of_every_zone_is_measured_and_nothing_is_hidden_at_a_page_break",
    ),
    "a filter that is ignored is believed": mistake(
        Edit("connector/scan/state.py", "        raise FilterIgnored\n", "        return\n"),
        by=f"{SCAN}::test_a_filter_that_is_ignored_reads_everything_with_a_note",
    ),
    "parallel reading ends without the tail": mistake(
        Edit("connector/scan/scan.py", "        spans = scan.open\n", "        return\n"),
        by="tests/connector/scan/test_ranges_model.py::test_no_history_loses_a_row_or_keeps_an_old_version[16-0.3--UTC-]",
    ),
    "a part of a parallel read ends a second too early": mistake(
        Edit("connector/scan/ranges.py", "(end is None or s < end)", "(end is None or s < end - 1)"),
        by=f"{RANGES}::test_a_read_is_whole_with_threads_as_well",
    ),
    # answers
    "an empty 200 is an empty list": mistake(
        Edit(
            "connector/scan/pages.py",
            "        raise Unreadable\n    envelope",
            "        return Page([], None, 5000, date, version)\n    envelope",
        ),
        by="tests/connector/scan/test_pages.py::test_an_empty_body_and_one_that_is_no_json_are_unreadable",
    ),
    "an envelope without records is an empty list": mistake(
        Edit(
            "connector/scan/pages.py",
            "    if not isinstance(records, list) or pagination is None:\n",
            "    records, pagination = records or [], pagination or {'per_page': 5000}\n"
            "    if not isinstance(records, list):\n",
        ),
        by="tests/connector/scan/test_pages.py::test_another_envelope_is_an_error_with_a_name_and_never_an_empty_page",
    ),
    "the zeros that a viewer's token gets are balances": mistake(
        Edit("connector/scan/state.py", "    if rows and not any(", "    if False and not any("),
        by=f"{SCAN}::test_rows_of_a_viewers_token_are_refused",
    ),
    "redirects are followed, with the token": mistake(
        Edit(
            "connector/door/door.py",
            "self._transport.handle_request(request)",
            "httpx.Client(transport=self._transport, follow_redirects=True).send(request, stream=True)",
        ),
        by=f"{DOOR}::test_a_redirect_is_not_followed_and_names_only_the_host",
    ),
    "certificates are not verified": mistake(
        Edit("connector/door/wire.py", "verify=_certificates(ca_file, unused=only_loopback)", "verify=False"),
        by="tests/connector/door/test_tls.py::test_an_unknown_authority_is_refused_at_once",
    ),
    "a write is sent again although it may have arrived": mistake(
        Edit("connector/door/retry.py", " or (outcome.sent and not repeatable)", ""),
        by=f"{DOOR}::test_a_write_that_may_not_be_repeated_is_sent_once",
    ),
    "what the server refuses is tried again": mistake(
        Edit(
            "connector/door/answer.py",
            " + _fields(reply), status=status))",
            " + _fields(reply), status=status), tries=8)",
        ),
        by=f"{DOOR}::test_what_will_not_change_is_asked_once",
    ),
    "a client that this token may not see is gone": mistake(
        Edit("connector/api/presence.py", "return Presence.HIDDEN", "return Presence.GONE"),
        by="tests/flows/pull/test_reconcile.py::test_clients_hidden_from_this_token_are_never_taken_out",
    ),
    # values
    "money goes through a float": mistake(
        Edit("schemas/shape.py", "Decoder(float_hook=Decimal)", f"Decoder({ROUNDED})"),
        Edit("schemas/shape.py", "Decoder(record, float_hook=Decimal)", f"Decoder(record, {ROUNDED})"),
        Edit("schemas/shape.py", "Decoder(page, float_hook=Decimal)", f"Decoder(page, {ROUNDED})"),
        by="tests/connector/scan/test_pages.py::test_an_amount_of_more_digits_than_a_float_holds_is_read_to_the_last_one",
    ),
    "money is rounded to what fits": mistake(
        Edit("schemas/values.py", "    if exact != amount:\n", "    if False:\n"),
        by="tests/schemas/test_values.py::test_money_with_more_than_six_decimals_is_refused_and_never_rounded",
    ),
    "an empty text is a text": mistake(
        Edit(
            "schemas/values.py",
            '        if not value:\n            return None\n        if "\\x00"',
            '        if "\\x00"',
        ),
        Edit("schemas/columns.py", "Kind.TEXT: _without_blanks", "Kind.TEXT: _same"),
        by="tests/schemas/test_normalise.py::test_every_recorded_value_arrives_as_it_was_sent",
    ),
    "never is 1970": mistake(
        Edit("schemas/values.py", "        if not value:\n            return None\n        if 0 <", "        if 0 <="),
        Edit("schemas/columns.py", "Kind.TIME: _without_blanks", "Kind.TIME: _same"),
        by="tests/schemas/test_normalise.py::test_every_recorded_value_arrives_as_it_was_sent",
    ),
    "a field that nobody knows is dropped": mistake(
        Edit("schemas/scrub.py", "key not in entity.secrets and not sounds_secret(key)", "False"),
        Edit("schemas/columns.py", "if key not in known and (", "if key not in known or ("),
        by="tests/warehouse/load/test_load.py::test_a_new_field_is_reported_once_and_kept_in_the_record",
    ),
    "the links by which contacts log in are kept": mistake(
        Edit("schemas/scrub.py", '|link$"', '"'),
        Edit("schemas/entities.py", '{"contact_key", "link", "password"}', '{"contact_key", "password"}'),
        by="tests/warehouse/load/test_history.py::test_a_changed_client_keeps_its_old_version_whole_until_the_stamp_of_the_new_one",
    ),
    "a client without its list of contacts has none": mistake(
        Edit("schemas/normalise.py", '        raise _Misfit(child.json_key, "is missing")\n', "        return ()\n"),
        by="tests/schemas/test_normalise.py::test_what_a_client_may_not_lack[contacts]",
    ),
    "a version is the same where its contacts have changed": mistake(
        Edit(
            "schemas/normalise.py",
            "        hashed.append([_without_volatile(child.fields, row) for row",
            "        hashed.append([() for row",
        ),
        Edit("schemas/columns.py", "_sorted(_lasting(child, family.columns), family.counts)", "family.counts"),
        by="tests/schemas/test_normalise.py::test_every_field_counts_as_a_change_except_the_volatile_ones[contacts.email]",
    ),
}
