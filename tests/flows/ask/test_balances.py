"""Balances of an earlier moment: what a book-keeper means by a date, and what was not known then."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flows.ask.balances import moment, read_balances
from schemas.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-31", datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-12-31T18:00:00", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31 18:00+02:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("2026-12-31T18:00:00Z", datetime(2026, 12, 31, 18, tzinfo=UTC)),
    ],
)
def test_a_date_means_its_end_and_a_time_is_in_utc_unless_it_says_otherwise(text, meant):
    assert moment(text) == meant


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "31.12.2026", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_moment_is_refused_with_an_example(text):
    with pytest.raises(SettingsError, match="2026-12-31"):
        moment(text)


@pytest.fixture
def known(server, pulls):
    """The moment of a first pull, a day before the second one, which found a client changed and another one purged."""
    first = pulls().run.began_at
    server.switch(clock={"advance": 86_400})
    debtor, purged, *_ = (c for c in server.clients(status="active").values() if c["balance"] > 0)
    server.call("POST", f"/_sandbox/clients/{debtor['id']}/balances", {"balance": "99999999.000001"})
    server.edit(debtor, city="Kiel")
    server.purge(purged["id"])
    pulls()
    return first


def told(settings, at=None):
    found = read_balances(settings, None, top=1000, at=at)
    return {name: sorted(map(tuple, table.rows), key=str) for name, table in found.items()}


def test_balances_as_of_a_moment_are_those_that_were_read_then(settings, pulls, server, known, query):
    now = told(settings)
    assert told(settings, known + timedelta(days=2)) == now
    then = told(settings, known + timedelta(hours=1))
    assert then["top_debtors"] != now["top_debtors"]
    assert len(then["top_debtors"]) == len(now["top_debtors"]) + 1
    assert sum(row[2] for row in then["by_currency"]) == sum(row[2] for row in now["by_currency"]) + 1
    assert "99999999.000001" in str(now["top_debtors"])
    assert "99999999.000001" not in str(then["top_debtors"])


def test_today_asked_as_a_moment_is_today(settings, pulls):
    began = pulls().run.began_at
    assert told(settings, began + timedelta(days=1)) == told(settings)


def test_before_the_first_pull_nothing_is_known(settings, pulls):
    began = pulls().run.began_at
    with pytest.raises(SettingsError, match=rf"Nothing is known before {began:%Y-%m-%d %H:%M:%S} UTC \(main\)"):
        read_balances(settings, None, top=3, at=began - timedelta(seconds=1))


def test_a_source_that_was_not_known_then_is_named_beside_the_others(settings, pulls, server, known, query):
    query("insert into control.client_versions by name select * replace ('old' as source) from control.client_versions")
    query("update control.client_versions set valid_from = valid_from - interval '1 day' where source = 'old'")
    unpublished = msgspec.structs.replace(settings, publish=False)
    found = read_balances(unpublished, None, top=3, at=known - timedelta(hours=1))
    assert {row[0] for row in found["by_currency"].rows} == {"old"}
    assert found["not_known_yet"].rows == [("main", known)]


def test_the_command_tells_the_moment_and_gives_json(command):
    command("pull")
    (run,) = json.loads(command("sql", "select min(began_at) as began from control.runs", "--json")[1])
    code, out, err = command("balances", "--at", run["began"])
    assert (code, f"As of {run['began'][:10]}" in err, "Top debtors" in out) == (0, True, True)
    assert set(json.loads(command("balances", "--at", run["began"], "--json")[1])) == {
        "by_currency",
        "by_country",
        "top_debtors",
    }
    code, out, err = command("balances", "--at", "2001-02-03")
    assert (code, out, "Nothing is known before" in err) == (2, "", True)
    assert "end of that day" in command("balances", "--help")[1]
