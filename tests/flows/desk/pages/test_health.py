"""Health at the desk: checks, the brake, calls with an unknown outcome, quarantine, runs, and the journal."""

from __future__ import annotations

import msgspec
import pytest

from flows.ask.health import journal
from flows.configuration.load import place_of
from flows.session.ready import open_ready
from schemas.journal import Call, Edit, Outcome
from tests.engines import address
from tests.flows.desk.conftest import PERSON, Visitor, answering, text_of
from warehouse.control.journal import WarehouseJournal
from warehouse.opened.open import open_place

HOSTILE = "<script>alert(1)</script>"
ODD = 'x" onmouseover="alert(1)'
"""The server strips tags from names, but no quotes."""


@pytest.fixture
def kept(settings, place, server, monkeypatch, pulls):
    """Settings of a warehouse that was pulled once, on each engine."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    chosen = msgspec.structs.replace(settings, warehouse=address(place))
    pulls(using=chosen)
    return chosen


@pytest.fixture
def opened(kept):
    with answering(kept) as opened:
        yield opened


def noted(kept):
    return WarehouseJournal("main", lambda: open_ready(kept), operator="Ben@office")


def test_the_checks_are_those_of_doctor(visitor, monkeypatch):
    page = visitor.post("/health/checks")
    shown = text_of(page)
    for name in ("warehouse", "address", "token", "company", "rights", "version", "clock", "time zone"):
        assert f"good {name} :" in shown or f"look {name} :" in shown
    monkeypatch.setenv("NINJA_SYNC_TOKEN", "wrong-token-of-a-test")
    shown = text_of(visitor.post("/health/checks"))
    assert "fault server :" in shown
    assert "wrong-token-of-a-test" not in shown


def test_the_checks_of_another_session_are_not_shown(visitor, opened):
    address_of_checks = str(visitor.post("/health/checks").url)
    Visitor(opened, "Ben").get(address_of_checks, status=400)


def test_the_brake_names_the_clients_and_removes_them_for_their_number_only(visitor, kept, pulls, server):
    gone = list(server.clients(status="active").values())[:11]
    server.edit(gone[0], name=ODD)
    pulls(using=kept)
    server.purge(*(client["id"] for client in gone))
    pulls(using=kept, full=True)
    page = visitor.get("/health")
    shown = text_of(page)
    assert "The server no longer lists 11 clients" in shown
    assert all(client["number"] in shown for client in gone)
    assert (ODD in shown, ODD in page.text) == (True, False)
    refused = visitor.post("/health/brake", {"source": "main", "number": "10"}, status=400)
    assert "Type 11 to allow the removal of 11 clients." in text_of(refused)
    done = visitor.post("/health/brake", {"source": "main", "number": "11"})
    assert "11 gone" in text_of(done)
    assert "None is kept" in text_of(done)
    again = visitor.post("/health/brake", {"source": "main", "number": "11"}, status=400)
    assert "Nothing is kept any more" in text_of(again)


def test_an_unknown_outcome_is_found_by_asking_the_server(visitor, kept, server):
    client = next(iter(server.clients(status="active").values()))
    edit = Edit(client["id"], {"city": client["city"]}, {"city": "Kiel"})
    call_id = noted(kept).intend(Call("update", [edit], None))
    shown = text_of(visitor.get("/health"))
    assert f"call {call_id}" in shown
    assert "Ben@office" in shown
    assert "city: Kiel" in shown
    assert client["display_name"] in shown
    server.edit(client, city="Kiel")
    page = visitor.post("/health/settle", {"source": "main", "call": call_id})
    assert f"The outcome of call {call_id} is noted: applied." in text_of(page)
    assert "None: the outcome of every call is known." in text_of(page)
    (row,) = journal(kept, "main", most=5).rows
    assert row["outcome"] == "applied 1"


def test_a_person_states_an_outcome_only_after_looking(visitor, kept, server):
    first, second, *_ = server.clients(status="active")
    for client, outcome, words in ((first, "applied", "applied"), (second, "not-applied", "not applied")):
        call_id = noted(kept).intend(Call("purge", [Edit(client)], None))
        form = {"source": "main", "call": call_id, "outcome": outcome}
        assert "Look at the clients" in text_of(visitor.post("/health/state-outcome", form, status=400))
        visitor.post("/health/state-outcome", form | {"looked": "on", "outcome": "perhaps"}, status=400)
        page = visitor.post("/health/state-outcome", form | {"looked": "on"})
        assert f"The outcome of call {call_id} is noted: {words}." in text_of(page)
        again = visitor.post("/health/state-outcome", form | {"looked": "on"}, status=400)
        assert "There is no open call" in text_of(again)


def test_the_journal_the_runs_and_the_quarantine_have_pages(visitor, kept, server):
    writer = noted(kept)
    for number in range(52):
        call_id = writer.intend(Call("bulk_update", [Edit(f"c{number}")], f"push-{number}"))
        writer.settle(call_id, [(f"c{number}", Outcome.APPLIED)], HOSTILE)
    for number in range(52):
        with open_place(place_of(kept)) as warehouse:
            warehouse.execute(
                "insert into control.quarantine (source, entity, id, field, reason, first_run_id, last_run_id) "
                "values ('main', 'clients', $id, 'balance', $reason, 'r', 'r')",
                {"id": f"q{number}", "reason": HOSTILE},
            )
    page = visitor.get("/health")
    assert HOSTILE not in page.text
    assert page.text.count("/plans/push-") == 10
    assert text_of(page).count(HOSTILE) == 20
    for path, words, sizes in (("journal", "/plans/push-", (50, 2)), ("quarantine", "/clients/main/q", (50, 2))):
        pages = [visitor.get(f"/health/{path}?page={number}").text for number in (1, 2)]
        assert tuple(text.count(words) for text in pages) == sizes
    assert "bulk update, 1 client" in text_of(visitor.get("/health/journal"))


def test_pulls_that_found_nothing_new_are_listed_on_demand(visitor, server):
    visitor.post("/today/fetch")
    some, every = (text_of(visitor.get(path)) for path in ("/health/runs", "/health/runs?all"))
    assert (some.count("UTC"), every.count("UTC")) == (1, 2)
    assert f" {len(server.clients())} " in some


def test_a_desk_for_looking_only_settles_and_removes_nothing(kept):
    call_id = noted(kept).intend(Call("purge", [Edit("c1")], None))
    with answering(kept, read_only=True) as opened:
        visitor = Visitor(opened, PERSON)
        page = visitor.get("/health")
        assert call_id in page.text
        for path in ("settle", "state-outcome", "brake"):
            assert f'action="/health/{path}"' not in page.text
            visitor.post(f"/health/{path}", {"source": "main", "call": call_id}, status=403)
        assert "good token :" in text_of(visitor.post("/health/checks"))
