"""The health of the warehouse: its runs and failures, the records that were not loaded, the calls that wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flows.ask.health import journal, last_runs, quarantine, read_health
from flows.configuration.load import place_of
from flows.pull.by_name import pull_each, pull_source
from flows.session.ready import open_ready
from schemas.errors import EXIT_CODES, SyncError
from schemas.journal import Call, Edit, Outcome
from tests.engines import address
from warehouse.control.failed_pulls import KEPT, note_failure
from warehouse.control.journal import WarehouseJournal
from warehouse.opened.open import open_place


@pytest.fixture
def pulled(settings, place, pulls, server, monkeypatch):
    """Settings of a warehouse that was pulled once, on each engine."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    chosen = msgspec.structs.replace(settings, warehouse=address(place))
    pulls(using=chosen)
    return chosen


def test_runs_and_failures_stand_in_one_list_with_their_results_in_words(pulled, server, monkeypatch):
    server.edit(next(iter(server.clients(status="active").values())), city="Kiel")
    pull_source(pulled, "main")
    pull_source(pulled, "main")  # it finds nothing new
    monkeypatch.setenv("NINJA_SYNC_TOKEN", "wrong-token-of-a-test")
    with pytest.raises(SyncError) as refused:
        pull_source(pulled, "main")
    runs = last_runs(pulled, "main", most=10)
    assert runs.number == 3
    failed, second, first = runs.rows
    assert (failed.kind, failed.notes, failed.result) == ("failed", [str(refused.value)], EXIT_CODES[5])
    assert (second.updated, second.exit_code, second.result) == (1, 0, "good")
    assert first.inserted == len(server.clients())
    assert last_runs(pulled, None, most=10, idle=True).number == 4
    assert [run.kind for run in last_runs(pulled, "main", most=1, skip=1).rows] == [second.kind]
    assert last_runs(pulled, "other", most=10).rows == []


def test_old_failures_are_forgotten(pulled):
    now = datetime.now(UTC)
    with open_ready(pulled) as warehouse:
        for at in (now - KEPT - timedelta(days=1), now):
            note_failure(warehouse, "main", began=at, now=at, exit_code=5, message="the server is away")
        assert warehouse.rows("select count(*) from control.failed_pulls") == [(1,)]


def test_records_in_quarantine_are_listed_with_the_time_since_when(pulled):
    insert = (
        "insert into control.quarantine (source, entity, id, field, reason, first_run_id, last_run_id) "
        "select 'main', 'clients', $id, 'balance', 'no number', run_id, run_id from control.runs where kind <> 'idle'"
    )
    for number in range(3):
        with open_place(place_of(pulled)) as warehouse:
            warehouse.execute(insert, {"id": f"c{number}"})
    (first, second), (third,) = (quarantine(pulled, "main", most=2, skip=skip).rows for skip in (0, 2))
    assert [row["id"] for row in (first, second, third)] == ["c0", "c1", "c2"]
    assert (first["field"], first["reason"]) == ("balance", "no number")
    assert abs(first["since"] - datetime.now(UTC)) < timedelta(hours=1)
    assert quarantine(pulled, None, most=2).number == 3


def test_the_journal_is_read_page_by_page_with_the_outcomes_of_each_call(pulled):
    kept = WarehouseJournal("main", lambda: open_ready(pulled), operator="Anna")
    for number in range(5):
        edits = [Edit(f"c{number}", {"city": "a"}, {"city": "b"}), Edit(f"d{number}", {"city": "a"}, {"city": "b"})]
        call_id = kept.intend(Call("bulk_update", edits, None))
        if number < 4:
            kept.settle(call_id, [(f"c{number}", Outcome.APPLIED), (f"d{number}", Outcome.NOT_APPLIED)])
    pages = [journal(pulled, "main", most=2, skip=skip) for skip in (0, 2, 4)]
    assert [page.number for page in pages] == [5, 5, 5]
    calls = [call for page in pages for call in page.rows]
    assert len({call["call_id"] for call in calls}) == 5
    assert [call["outcome"] for call in calls] == ["unknown"] + ["applied 1, not applied 1"] * 4
    assert {(call["operator"], call["clients"]) for call in calls} == {("Anna", 2)}
    health = read_health(pulled, None, most=3, held=0)
    assert (health.calls.number, health.calls.rows) == (5, calls[:3])
    ((source, unknown),) = health.unknown
    assert (source, unknown.call_id) == ("main", calls[0]["call_id"])
    assert [edit.client_id for edit in unknown.call.edits] == ["c4", "d4"]


def test_a_source_that_fails_does_not_stop_the_others(pulled, server):
    source = pulled.sources["main"]
    away = msgspec.structs.replace(source, url="http://127.0.0.1:9", retry_budget=0.0)
    both = msgspec.structs.replace(pulled, sources={"away": away, "main": source})
    phases = []
    results = pull_each(both, ["away", "main"], progress=lambda phase, _done, _of: phases.append(phase))
    assert isinstance(results["away"], SyncError)
    assert results["main"].run.source == "main"
    assert any(phase.startswith("main: ") for phase in phases)
