"""What a pull tells people: short where nothing happened, never silent about what needs a look."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from flows.pull.job import Departed, Pulled
from flows.pull.report import exit_code_of, pulled_as_json, tell_pulled
from schemas.diff import Change
from schemas.errors import TooMuchChange
from schemas.normalise import Drift, Quarantined
from schemas.values import to_json
from tests.records import MOMENT
from warehouse.control.state import Run
from warehouse.load.vanished import Unlisted

DEPARTED = Departed("k1", "Ann", "merged", "k2", "Bob", "ledger note")
RUN = Run("run-1", "main", "pull", MOMENT, MOMENT, 0.5, 3, received=1, unchanged=1, server_total=5, mirrored=5)


@pytest.fixture
def told(capsys):
    """What is told of a pull, on both streams."""

    def run(pulled):
        tell_pulled(pulled)
        found = capsys.readouterr()
        return found.out + found.err

    return run


def test_a_pull_without_changes_is_one_line(told):
    assert told(Pulled(RUN)) == "main: nothing has changed (3 requests, 1 recent record read again).\n"
    assert told(Pulled(replace(RUN, kind="idle", received=0, requests=1))) == "main: nothing has changed (1 request).\n"


@pytest.mark.parametrize(
    ("pulled", "words"),
    [
        (
            Pulled(RUN, quarantined=[Quarantined("clients", "k1", "balance", "is a text")]),
            ["k1", "balance", "is a text"],
        ),
        (Pulled(replace(RUN, quarantine_open=2)), ["2 records are still in quarantine", "ninja-sync status"]),
        (Pulled(RUN, drift=[Drift("clients", "mood", "new")]), ["mood", "new"]),
        (Pulled(RUN, notes=["The server ignored a filter."]), ["The server ignored a filter."]),
        (Pulled(RUN, left=3), ["3 clients stay in the warehouse", "ninja-sync sweep"]),
        (
            Pulled(
                RUN,
                left=9,
                unlisted=[Unlisted("k9", "Meyer", "EUR", Decimal("12.5"), "held")],
                held=TooMuchChange("The server no longer lists 9."),
            ),
            ["The server no longer lists 9.", "Meyer", "EUR", "12.50", "k9"],
        ),
    ],
)
def test_what_needs_a_look_is_told_although_nothing_else_has_changed(told, pulled, words):
    text = told(pulled)
    assert all(word in text for word in words), text
    assert "nothing has changed" not in text


def test_changes_are_told_field_by_field_with_times_as_people_read_them(told):
    old, new = {"id": "c", "email": "a@x"}, {"id": "c", "email": "b@x"}
    shared = {"id": "a", "display_name": "Ann"}
    before = to_json({**shared, "city": "Bern", "archived_at": 0, "updated_at": 1, "contacts": [old]})
    after = to_json({**shared, "city": "Zug", "archived_at": 1795336905, "updated_at": 2, "contacts": [new]})
    text = told(Pulled(replace(RUN, updated=1, changed=True), changes=[Change("a", before, after)]))
    for word in ("Ann", "city", "Bern", "Zug", "archived_at", "2026-11-22 08:41:45", "contacts.c.email", "a@x", "b@x"):
        assert word in text
    assert "updated_at" not in text


def test_new_clients_are_told_by_name_and_many_changes_are_cut_with_a_note(told):
    new = [Change(f"k{n}", None, f'{{"id":"k{n}","display_name":"Client {n}"}}') for n in range(50)]
    text = told(Pulled(replace(RUN, inserted=50, changed=True), changes=new))
    assert "Client 0" in text
    assert "(new client)" in text
    assert "and 10 more" in text


def test_the_report_for_machines_holds_it_all():
    change = Change("a", '{"id":"a","city":"Bern"}', '{"id":"a","city":"Zug"}')
    report = pulled_as_json(
        Pulled(RUN, [change], [Drift("clients", "mood", "new")], notes=["note"], departed=[DEPARTED], left=1)
    )
    assert report["changes"] == [
        {"id": "a", "new": False, "fields": [{"field": "city", "before": "Bern", "after": "Zug"}]}
    ]
    assert (report["drift"], report["notes"], report["left"], report["published"]) == (
        [{"entity": "clients", "field": "mood", "kind": "new"}], ["note"], 1, None,
    )  # fmt: skip
    assert report["departed"] == [
        {"id": "k1", "name": "Ann", "kind": "merged", "into_id": "k2", "into_name": "Bob", "evidence": "ledger note"}
    ]


def test_clients_that_are_gone_are_told_with_the_client_that_took_them_in(told):
    text = told(Pulled(replace(RUN, vanished=1, changed=True), departed=[DEPARTED]))
    for word in ("1 gone", "Ann", "merged", "Bob", "ledger note"):
        assert word in text


@pytest.mark.parametrize(
    ("pulled", "code"),
    [(Pulled(RUN), 0), (Pulled(RUN, left=1), 7), (Pulled(RUN, left=1, held=TooMuchChange("9 are not listed.")), 3)],
)
def test_the_exit_code_says_whether_somebody_must_look_or_decide(pulled, code):
    assert exit_code_of(pulled) == code
