"""`doctor` says what is wrong, and goes on as far as it can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from flows.configuration import load as settings_module
from flows.configuration.load import place_of
from flows.session.clock import SYSTEM_CLOCK
from flows.setup.doctor import examine
from warehouse.engine.duckdb import open_warehouse


@pytest.fixture
def settings(settings, tmp_path):
    """The settings of whoever has not pulled yet: there is no warehouse."""
    return msgspec.structs.replace(settings, warehouse=str(tmp_path / "none yet" / "warehouse.duckdb"), publish=True)


@pytest.fixture
def checks(settings, server, monkeypatch):
    """The checks by name; the token may be given."""

    def run(token=None, clock=SYSTEM_CLOCK, using=settings):
        monkeypatch.setenv(settings_module.TOKEN_VARIABLE, token or server.box.token)
        return {check.name: check for check in examine(using, "main", clock)}

    return run


def test_a_good_installation_is_good_in_every_point(checks, pulls):
    pulls()
    found = checks()
    assert set(found) == {"warehouse", "address", "token", "company", "rights", "version", "clock", "time zone"}
    assert {check.state for check in found.values()} == {"good"}


def test_a_wrong_token_is_bad_and_the_warehouse_is_still_looked_at(checks):
    found = checks(token="wrong")
    assert (found["server"].state, found["server"].exit_code, found["warehouse"].state) == ("bad", 5, "note")


def test_a_token_that_may_not_see_money_is_bad(checks, server):
    assert checks(token=server.box.viewer_token)["rights"].state == "bad"


def test_another_companys_token_is_bad_once_the_source_is_bound(checks, pulls, server):
    assert checks(token=server.box.other_token)["company"].state == "good"
    pulls()
    assert checks(token=server.box.other_token)["company"].state == "bad"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Honolulu"])
def test_a_time_zone_is_noted(checks, server, zone):
    server.switch(timezone=zone)
    assert checks()["time zone"].state == "note"


@pytest.mark.proof
def test_a_clock_that_is_off_is_noted(checks):
    ahead = replace(SYSTEM_CLOCK, now=lambda: datetime.now(UTC) + timedelta(days=1))
    assert "86,4" in checks(clock=ahead)["clock"].found


@pytest.mark.proof
def test_a_server_that_is_away_is_bad(checks, settings):
    source = msgspec.structs.replace(settings.sources["main"], url="http://127.0.0.1:9", retry_budget=0.1)
    found = checks(using=msgspec.structs.replace(settings, sources={"main": source}))
    assert (found["server"].state, found["server"].exit_code) == ("bad", 5)


@pytest.mark.proof
def test_a_warehouse_that_cannot_be_used_is_bad_and_the_server_is_still_looked_at(checks, settings, tmp_path):
    broken = tmp_path / "broken.duckdb"
    broken.write_text("not a database, and long enough to be none " * 1000)
    found = checks(using=msgspec.structs.replace(settings, warehouse=str(broken)))
    assert (found["warehouse"].state, found["token"].state) == ("bad", "good")


@pytest.mark.proof
def test_before_the_first_pull_it_is_a_note_that_there_is_no_warehouse_and_none_is_made(checks, tmp_path):
    found = checks()
    assert (found["warehouse"].state, "first pull creates it" in found["warehouse"].found) == ("note", True)
    assert not (tmp_path / "none yet").exists()


@pytest.mark.proof
def test_a_warehouse_that_no_pull_could_make_is_bad(checks, settings, tmp_path):
    (tmp_path / "file").touch()
    found = checks(using=msgspec.structs.replace(settings, warehouse=str(tmp_path / "file" / "w.duckdb")))
    assert (found["warehouse"].state, found["warehouse"].exit_code) == ("bad", 2)
    assert checks(using=msgspec.structs.replace(settings, warehouse=str(tmp_path)))["warehouse"].state == "bad"
    found = checks(using=msgspec.structs.replace(settings, warehouse="postgresql://x"))
    assert (found["warehouse"].state, found["token"].state) == ("bad", "good")


@pytest.mark.proof
def test_a_warehouse_that_may_not_be_written_is_bad(checks, pulls, monkeypatch, tmp_path):
    monkeypatch.setattr("os.access", lambda place, _mode: place != tmp_path)
    assert "may not write" in checks()["warehouse"].found
    pulls()
    monkeypatch.setattr("os.access", lambda place, _mode: place.suffix != ".duckdb")
    assert "may not write" in checks()["warehouse"].found


@pytest.mark.proof
def test_doctor_changes_nothing_in_the_warehouse(checks, pulls, settings):
    pulls()
    path = place_of(settings)
    before = {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()}
    checks()
    assert {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()} == before


@pytest.mark.proof
@pytest.mark.parametrize(
    ("sql", "state", "words"),
    [
        ("delete from control.migrations where number > 2", "note", "older version"),
        ("drop view mart.contacts", "note", "older version"),
        ("insert into control.migrations select 999, 'z999_later', digest, applied_at from control.migrations limit 1",
         "bad", "newer version"),
        ("update control.mirror set version = version + 1", "bad", "newer version"),
        ("drop schema mart cascade; drop schema ninja cascade; drop schema control cascade", "note", "first pull"),
        ("drop table control.watermarks cascade", "bad", ""),
        ("alter table ninja.documents drop column size", "bad", "lacks ninja.documents.size: somebody changed"),
        ("drop table ninja.quotes; drop table ninja.quote_items; drop table ninja.tasks; drop table ninja.vendors",
         "bad",
         "lacks ninja.quotes, ninja.quote_items, ninja.tasks and 1 more: somebody changed"),
    ],
)  # fmt: skip
def test_a_warehouse_of_another_shape_is_told_and_left_as_it_is(checks, pulls, settings, sql, state, words):
    pulls()
    path = place_of(settings)
    with open_warehouse(path) as warehouse:
        for statement in sql.split(";"):
            warehouse.execute(statement)
    before = path.read_bytes()
    found = checks()
    assert (found["warehouse"].state, found["token"].state) == (state, "good")
    assert words in found["warehouse"].found
    assert path.read_bytes() == before
