# ruff: noqa: E501 - one line a fault: a table is read across
"""The table of faults: what can go wrong, how the test makes it, and how a pull ends then. One line a fault.

Allowed endings are three, and "success with data missing" is none of them:

    A   converged: the mirror equals the server, record by record and field by field
    B   clean stop: an error with a name and an exit code; warehouse, watermark and runs are as they were before the
        pull, and the next pull without the fault converges
    C   set aside: the record that does not fit is named with its field; every other record is exact, and after the
        record is mended a full pull converges
"""

from __future__ import annotations

import gzip
from decimal import Decimal

from schemas.errors import (
    EndlessList,
    NetworkFailed,
    NotAuthorised,
    NotFound,
    PasswordRequired,
    RateLimited,
    Rejected,
    ServerUnavailable,
    UnexpectedShape,
)
from tests.connector.door import faulty_server as raw_server
from tests.faults import events
from tests.faults.lines import A, B, C, Converged, Fault, Held, Line, Meanwhile, Record, Waits, Whole
from tests.faults.scene import FIRST, LAST, MIDDLE, PAGES, Scene
from tests.faults.ways import (
    GONE,
    Way,
    headers,
    never_ending,
    nobody,
    page,
    raw,
    redirect,
    sandbox,
    signed_by,
    sockets,
    strangers_certificate,
    switch,
    without_the_filter,
)
from tests.faults.wire import Strike, written


def _total(value: object) -> Way:
    def edit(body: dict[str, object]) -> object:
        body["meta"]["pagination"]["total"] = value
        return body

    return page(edit)


def _older_copy(body: dict[str, object]) -> object:
    """The first record once more, older, and with another name, before the others."""
    if body["data"]:
        older = {**body["data"][0], "updated_at": body["data"][0]["updated_at"] - 60, "name": "An older version"}
        body["data"] = [older, *body["data"]]
    return body


def _same_again() -> Way:
    """The first page that is struck comes for every later request too, as from a cache that drops the query."""

    def way(scene: Scene) -> Strike:
        kept: list[dict[str, object]] = []

        def edit(body: dict[str, object]) -> object:
            body["meta"]["pagination"]["per_page"] = len(body["data"])
            kept.append(body)
            return kept[0]

        return page(edit)(scene)

    return way


def _nothing_in_them(body: dict[str, object]) -> object:
    """As many records as a page holds, and no field in any of them."""
    body["data"] = [{}] * body["meta"]["pagination"]["per_page"]
    return body


def _two_million(connection: raw_server.Connection) -> bool:
    """A page of two million empty records."""
    records = b"[" + b"{}," * 1_999_999 + b"{}]"
    return raw_server.answer(b'{"data":%s,"meta":{"pagination":{"total":9,"per_page":20}}}' % records)(connection)


def _says(status: int, retry_after: str = "") -> Way:
    """The sandbox answers with an error of Invoice Ninja's."""
    return sandbox(do="status", status=status, headers={"Retry-After": retry_after} if retry_after else {})


WARNING = b"<b>Warning</b>: Undefined array key in <b>/var/www/x.php</b><br />"
TORN = raw_server.gzipped(gzip.compress(raw_server.PAGE)[:-12])
BOMB = sockets(raw_server.gzipped(raw_server.bomb(2)), max_body_bytes=1024 * 1024)
NO_MONEY = signed_by(lambda scene: scene.server.box.viewer_token)
DOOR, PULL = "tests/connector/door/test_faults.py::", "tests/flows/pull/test_pull.py::"
CRASHES, RECONCILE = "tests/crashes/", "tests/flows/pull/test_reconcile.py::"
VALUES = "tests/schemas/test_values.py::"
LONG = "shoe" * 2250
SQL = 'x"; drop table clients; --'
MOST = "99999999999999.999999"
DEEP = b"[" * 100_000 + b"]" * 100_000

TRANSPORT: tuple[Line, ...] = (
    Fault("F01", "nobody listens", nobody, passes=A, stays=B(NetworkFailed)),
    Fault("F02", "the connection is reset, before the answer", sandbox(do="reset"), passes=A, stays=B(NetworkFailed)),
    Fault("F02", "reset inside the answer", sandbox(do="reset", after_bytes=90), passes=A),
    Fault("F03", "fewer bytes than promised", sockets(raw_server.short_body), passes=A, stays=B(NetworkFailed)),
    Fault("F03", "the last chunk is missing", sockets(raw_server.cut_chunks), passes=A),
    Fault("F04", "half of the JSON, with a fitting length", sandbox(do="truncate"), passes=A, stays=B(NetworkFailed)),
    Fault("F05", "200 with a page of HTML", sandbox(do="html", status=200), passes=B(UnexpectedShape)),
    Fault("F07", "200 with JSON without `data`", sandbox(do="no_data"), passes=B(UnexpectedShape)),
    Fault("F07", "a warning of PHP before the JSON", page(lambda body: WARNING + written(body)), passes=A, stays=B(NetworkFailed)),
    Fault("F08", "one byte at a time, for ever", never_ending(raw_server.slow_body), passes=A, stays=B(NetworkFailed)),
    Fault("F09", "accepted, and never answered", never_ending(raw_server.silence), passes=A, stays=B(NetworkFailed)),
    Fault("F10", "damaged gzip", sockets(TORN), passes=A, stays=B(NetworkFailed)),
    Fault("F10", "a gzip bomb", BOMB, passes=B(UnexpectedShape)),
    Fault("F11", "a certificate that nobody known has signed", strangers_certificate, passes=B(Rejected)),
    Fault("F12", "302 to another host", redirect(302), passes=B(Rejected)),
    Whole("F13", "a proxy in the environment", events.behind_a_proxy_of_the_environment, "read once, when the door is made"),
    Held("F14", "a connection that has gone stale", DOOR + "test_a_stale_connection_costs_a_read_nothing", "A"),
    Fault("F15", "429 without Retry-After", _says(429), passes=A, stays=B(RateLimited)),
    Fault("F16", "429, Retry-After: 39", _says(429, "39"), passes=A),
    Fault("F16", "429, Retry-After: junk", _says(429, "soon"), passes=A),
    Fault("F16", "429, a date that is over", _says(429, "Tue, 03 Nov 2020 10:00:00 GMT"), passes=A),
    Fault("F16", "429, Retry-After: ten hours", _says(429, "36000"), passes=B(RateLimited)),
    Whole("F17", "a limit that is almost used up", events.with_a_limit_that_others_use_too, "it counts the requests of the whole run"),
    Fault("F18", "500", _says(500), passes=A, stays=B(ServerUnavailable)),
    Whole("F18", "500 for large pages only", events.only_small_pages, "all large pages, wherever they are"),
    Fault("F19", "503 with JSON", _says(503), passes=A, stays=B(ServerUnavailable)),
    Fault("F19", "503 with HTML", sandbox(do="html", status=503), passes=A),
    Fault("F20", "403: the token was revoked", _says(403), passes=B(NotAuthorised)),
    Fault("F21", "401: a right is missing", _says(401), passes=B(NotAuthorised)),
    Fault("F21", "412: a password is wanted", _says(412), passes=B(PasswordRequired)),
    Fault("F22", "404: another base path", _says(404), passes=B(NotFound)),
    Fault("F23", "the server is upgraded", headers(x_app_version="5.13.22"), stays=A),
)  # fmt: skip

PAGING: tuple[Line, ...] = (
    Meanwhile("F30", "clients are changed", events.update),
    Meanwhile("F31", "clients are added", events.insert),
    Meanwhile("F32", "clients are purged", events.purge),
    Meanwhile("F33", "clients are merged", events.merge),
    Meanwhile("F34", "more clients in one second than a page holds", events.many_in_one_second),
    Meanwhile("F35", "the same client again in the same second", events.same_second_again),
    Meanwhile("F36", "a change that is committed an hour late", events.late_commit),
    Fault("F37", "records without any order but the one asked for", switch(shuffle=True), stays=A),
    Fault(
        "F38", "our own clock is a day off, and jumps", events.our_clock_jumps, passes=A, at=("look", MIDDLE, LAST),
        why="the server's clock seems to have gone back, so the first page begins earlier",
    ),
    Held("F39", "the server is restored from a backup", RECONCILE + "test_a_restored_server_loses_nobody_until_somebody_says_so", "A, and told"),
    Held("F50", "the server lives in another time zone", PULL + "test_a_server_in_another_time_zone_hides_nothing", "A"),
    Meanwhile(
        "F51", "the clocks go back an hour", events.hour_repeats, prepare=events.before_the_hour_repeats, at=(FIRST, MIDDLE),
        why="in that time zone there are fewer and larger pages",
    ),
    Fault("F52", "the filter is ignored", without_the_filter, stays=A, at=PAGES, why="the first look sends no filter"),
    Fault("F53", "pages are clamped to four rows", switch(per_page_cap=4), stays=A),
    Fault("F54", "the total is missing", _total(None), stays=A),
    Fault("F54", "the total is wrong", _total(3), stays=A),
    Fault("F54", "the total has 31 digits", _total(10**30), stays=A),
    Fault("F55", "the token loses the right to see money", NO_MONEY, stays=B(NotAuthorised)),
    Held("F55", "the token may no longer see some clients", RECONCILE + "test_clients_hidden_from_this_token_are_never_taken_out", "A, and told"),
    Held("F56", "a token of another company", PULL + "test_another_companys_token_is_refused_before_any_write", "B SettingsError, exit 2"),
    Whole("F57", "two servers whose ids are equal", events.two_servers_with_equal_ids, "each has pages of its own"),
    Fault("F58", "every page brings the same records", _same_again(), stays=B(EndlessList), at=PAGES, why="the first look asks for one row"),
    Fault("F58", "every page is full of empty records", page(_nothing_in_them), stays=B(EndlessList), at=(MIDDLE,), why="one is enough"),
    Fault("F58", "two million empty records in one page", sockets(_two_million), passes=B(UnexpectedShape), at=(MIDDLE,), why="one is enough"),
)  # fmt: skip

DATA: tuple[Line, ...] = (
    Record("F06", "200 with nothing in it: a record that cannot be sent", {}, C("record", by="place")),
    Record("F60", "a field that is new", {"shoe_size": 44}, Converged(frozenset({"shoe_size"}))),
    Record("F61", "an amount is gone", {"balance": GONE}, C("balance")),
    Record("F61", "the contacts are gone", {"contacts": GONE}, C("contacts")),
    Record("F61", "the id is gone", {"id": GONE}, C("id", by="nothing")),
    Record("F61", "another field is gone", {"phone": GONE}, Converged(frozenset({"phone"}))),
    Record("F62", "a list in place of a name", {"name": ["x"]}, C("name")),
    Record("F62", "a text in place of a flag", {"is_deleted": "no"}, C("is_deleted")),
    Record("F62", "null in place of an amount", {"balance": None}, C("balance")),
    Record("F63", "an amount as a whole number", {"balance": 150}, A),
    Record("F63", "an amount with an exponent", {"balance": raw("1.5e+2")}, A, {"balance": Decimal(150)}),
    Record("F63", "an amount in a text", {"balance": "-0.000001"}, A),
    Record("F63", "20 digits of an amount", {"balance": raw(MOST)}, A, {"balance": Decimal(MOST)}),
    Record("F64", "seven decimals", {"balance": raw("0.0000001")}, C("balance")),
    Record("F64", "15 digits before the point", {"balance": 100_000_000_000_000}, C("balance")),
    Record("F64", "1e400", {"balance": raw("1e400")}, C("balance")),
    Record("F64", "NaN and Infinity", {"balance": raw("NaN"), "paid_to_date": raw("-Infinity")}, C("record")),
    Record("F64", "-0", {"balance": raw("-0.0")}, A, {"balance": Decimal(0)}),
    Record("F65", "bytes that are no UTF-8", {"name": raw(b'"caf\xe9"')}, C("record")),
    Record("F65", "half of a surrogate pair", {"name": raw(r'"\ud800"')}, C("record", by="place")),
    Record("F65", "a NUL character", {"name": "a\0b"}, C("name")),
    Record("F65", "control characters and other directions", {"name": "\x01\x1b[31m \u202etxt\u2066"}, A),
    Record("F66", "10 MB of notes", {"private_notes": "ü" * 5_000_000}, A, at=(MIDDLE,), why="one is enough to carry"),
    Record("F66", "2,000 contacts", {"contacts": events.contacts_of(2000)}, A),
    Record("F67", "a key that stands twice: the last one counts", {"balance": raw('7, "balance": 8.5')}, A, {"balance": Decimal("8.5")}),
    Record("F67", "a number of 5,000 digits", {"balance": raw("9" * 5000)}, C("record")),
    Record("F67", "nested 100,000 deep", {"e_invoice": raw(DEEP)}, C("record")),
    Fault("F68", "an older version of a record beside it", page(_older_copy), passes=A),
    Held("F69", "ids like 6e12345678", VALUES + "test_ids_that_look_like_numbers_stay_texts", "A"),
    Record("F70", "[] in place of {}", {"tax_info": [], "e_invoice": []}, A),
    Record("F70", "times that are 0", {"created_at": 0, "last_login": 0}, A),
    Record("F70", "a time after the year 9999", {"created_at": 253_402_300_800}, C("created_at")),
    Record("F70", "a time before 1970", {"archived_at": -1}, C("archived_at")),
    Meanwhile("F71", "contacts are removed, added, put in another order", events.contacts_change),
    Record("F72", "keys that differ by case, or are SQL", {"Balance": 5, SQL: 1}, Converged(frozenset({"Balance", SQL}))),
    Record("F73", "an id of 9,000 characters", {"id": "x" * 9000}, C("id", by="nothing")),
    Record("F73", "a contact's id of 9,000 characters", {"contacts": events.only_with_the_id("x" * 9000)}, C("contacts[0].id")),
    Record("F73", "a document's id of 9,000 characters", {"documents": events.only_with_the_id("x" * 9000)}, C("documents[0].id")),
    Record("F73", "an unknown field whose name has 9,000 characters", {LONG: 1}, Converged(frozenset({LONG[:99] + "…"}))),
)  # fmt: skip

LOAD: tuple[Line, ...] = (
    Held("F80", "kill -9 at any moment", CRASHES + "test_kills.py::test_whatever_moment_a_pull_is_killed_at_the_next_one_is_exact", "A"),
    Waits("F81", "no space, or a failing disk, at every write", "`make injections` does it; not part of this run"),
    Waits("F82", "an fsync that fails", "`make injections` does it; not part of this run"),
    Held("F83", "the warehouse is open elsewhere", CRASHES + "test_two_at_once.py::test_a_warehouse_that_another_program_has_open_is_busy_by_name_and_pulled_when_it_closes", "B Busy, exit 6"),
    Held("F84", "two pulls at once", CRASHES + "test_two_at_once.py::test_pulls_that_may_not_wait_say_busy_and_name_the_process_that_pulls", "B Busy, exit 6"),
    Waits("F85", "Postgres is lost at COMMIT", "there is no Postgres yet"),
    Waits("F86", "Postgres: deadlock, timeout, no privilege", "there is no Postgres yet"),
    Held("F87", "the warehouse is last week's copy", CRASHES + "test_restored.py::test_a_warehouse_that_was_restored_from_last_week_becomes_exact_and_its_ledger_shows_the_gap", "A"),
    Held("F88", "a staged page is damaged", CRASHES + "test_restored.py::test_staged_pages_that_were_edited_are_read_from_the_server_again", "A"),
    Held("F89", "a migration breaks off", CRASHES + "test_migrations_killed.py::test_an_upgrade_that_is_killed_leaves_the_old_version_or_the_new_one_with_all_rows", "A"),
    Held("F90", "a warehouse of a newer version", CRASHES + "test_restored.py::test_a_warehouse_that_something_newer_has_written_is_refused_and_left_to_the_byte", "B WarehouseError, exit 6"),
    Held("F91", "SIGTERM, SIGHUP, Ctrl-C", CRASHES + "test_signals.py::test_a_pull_that_is_told_to_end_at_any_moment_leaves_the_old_state_or_the_new_one", "B, then A"),
)  # fmt: skip

TABLE = (*TRANSPORT, *PAGING, *DATA, *LOAD)
