"""`doctor` says what is wrong, and goes on as far as it can."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flows import settings as settings_module
from flows.doctor import examine
from flows.pull import SYSTEM_CLOCK


@pytest.fixture
def checks(settings, server, monkeypatch):
    """The checks by name; the token may be given."""

    def run(token=None, clock=SYSTEM_CLOCK, using=settings):
        monkeypatch.setenv(settings_module.TOKEN_VARIABLE, token or server.box.token)
        return {check.name: check for check in examine(using, "main", clock)}

    return run


def test_a_good_installation_is_good_in_every_point(checks):
    found = checks()
    assert set(found) == {"warehouse", "address", "token", "company", "rights", "version", "clock", "time zone"}
    assert {check.state for check in found.values()} == {"good"}


def test_a_wrong_token_is_bad_and_the_warehouse_is_still_looked_at(checks):
    found = checks(token="wrong")
    assert (found["server"].state, found["server"].exit_code, found["warehouse"].state) == ("bad", 5, "good")


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


def test_a_clock_that_is_off_is_noted(checks):
    ahead = replace(SYSTEM_CLOCK, now=lambda: datetime.now(UTC) + timedelta(days=1))
    assert "86,4" in checks(clock=ahead)["clock"].found


def test_a_server_that_is_away_is_bad(checks, settings):
    source = msgspec.structs.replace(settings.sources["main"], url="http://127.0.0.1:9", retry_budget=0.1)
    found = checks(using=msgspec.structs.replace(settings, sources={"main": source}))
    assert (found["server"].state, found["server"].exit_code) == ("bad", 5)


def test_a_warehouse_that_cannot_be_used_is_bad_and_the_server_is_still_looked_at(checks, settings, tmp_path):
    broken = tmp_path / "broken.duckdb"
    broken.write_text("not a database, and long enough to be none " * 1000)
    found = checks(using=msgspec.structs.replace(settings, warehouse=str(broken)))
    assert (found["warehouse"].state, found["token"].state) == ("bad", "good")
