"""The report in counts: it says which fields changed how often, and holds no value of any of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flows.pull.job import Pulled
from flows.pull.summary import as_markdown, summary_of
from schemas.diff import Change
from schemas.normalise import Drift, Quarantined
from warehouse.control.state import Run

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def run(**counts):
    return Run("20261122T000000Z-main-abcdef", "main", "pull", NOW, NOW, 1.25, 3, **counts)


def changed(before, after):
    return Change("VolejRejNm", None if before is None else json.dumps(before), json.dumps(after))


def test_fields_are_counted_once_a_record_and_by_their_outermost_name():
    contact = {"id": "a", "first_name": "Ada", "email": "ada@example.org"}
    changes = [
        changed({"balance": "1", "contacts": []}, {"balance": "2", "contacts": [contact]}),
        changed({"balance": "1", "settings": {"currency_id": "1"}}, {"balance": "3", "settings": {"currency_id": "2"}}),
        changed(None, {"name": "A new client has no changed fields"}),
    ]
    told = summary_of(Pulled(run(inserted=1, updated=2), changes))
    assert list(told.fields.items()) == [("balance", 2), ("contacts", 1), ("settings", 1)]
    assert str(told) == "main: 1 new, 2 changed, 0 touched"
    assert "Ada" not in as_markdown({"main": told})


def test_a_field_that_no_entity_knows_is_not_named():
    told = summary_of(Pulled(run(updated=1), [changed({}, {"ada@example.org": 1, "ada2": 2})]))
    assert told.fields == {"other": 1}


def test_what_needs_a_look_is_counted_and_not_shown():
    bad = Quarantined("clients", "VolejRejNm", "balance", "is too long", '{"name":"Ada"}')
    told = summary_of(Pulled(run(quarantine_open=1), drift=[Drift("clients", "ada", "new")] * 2, quarantined=[bad]))
    assert told.needs_a_look
    assert str(told).endswith("1 in quarantine, 2 unknown or missing fields")
    assert "ada" not in as_markdown({"main": told}).lower()


def test_texts_stay_texts_in_markdown():
    report = as_markdown({"away": "NetworkFailed: <img src=x> [a](b)\n# `c` | d"})
    assert report == "- **away failed**: NetworkFailed: \\<img src=x\\> \\[a\\](b) \\# \\`c\\` \\| d\n"


def test_the_table_has_one_line_a_source_that_was_pulled():
    told = summary_of(Pulled(run(inserted=1200, received=1200), notes=["An interrupted scan went on."]))
    lines = as_markdown({"main": told, "away": "Busy"}).splitlines()
    assert lines[2] == "| main | 1,200 | 0 | 0 | 0 | 0 | 1,200 | 3 | 1.2 |"
    assert lines[-3:] == [
        "- main: run `20261122T000000Z-main-abcdef` (pull)",
        "- main: note: An interrupted scan went on.",
        "- **away failed**: Busy",
    ]
