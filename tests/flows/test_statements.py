"""Statements of many: safe names, half files never, a run that was cut off goes on."""

from __future__ import annotations

import re
import stat
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from connector import clients
from flows.cli import app
from flows.statements import draw_statements, file_name, owing
from sandbox.server import running
from schemas.client import Client
from schemas.errors import SettingsError
from tests.connector.clients.conftest import Box
from tests.noted import Noted

YEAR = clients.Period(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def box():
    with running(clients=12, seed=5) as sandbox:
        yield Box(sandbox)


@pytest.fixture
def api(box):
    opened = box.api(Noted())
    with opened.door:
        yield opened


def client(**more):
    zero = Decimal(0)
    figures = dict.fromkeys(("balance", "paid_to_date", "payment_balance", "credit_balance"), zero)
    return Client(**{"id": "Wpmbk5ezJn", "is_deleted": False, **figures, **more})


@given(name=st.none() | st.text(max_size=200), number=st.none() | st.text(max_size=200))
def test_a_file_name_is_one_harmless_part_of_a_path_and_this_clients_alone(name, number):
    found = file_name(client(display_name=name, number=number), YEAR)
    assert re.fullmatch(r"statement_[\w.-]+\.pdf", found)
    assert "/" not in found
    assert "\x00" not in found
    assert "_Wpmbk5ezJn_20260101-20261231.pdf" in found
    assert len(found.encode()) <= 255
    assert found != file_name(client(display_name=name, number=number, id="Opnel5aKBz"), YEAR)


def test_a_run_that_was_cut_off_goes_on_and_fetches_nothing_twice(api, box, tmp_path):
    wanted = list(owing(api))
    assert len(wanted) > 3
    run = draw_statements(api, wanted, YEAR, tmp_path / "out")
    first = next(run)
    run.close()
    box.requests()
    drawn = list(draw_statements(api, wanted, YEAR, tmp_path / "out"))
    assert [one.was_there for one in drawn] == [True] + [False] * (len(wanted) - 1)
    assert len([r for r in box.requests() if "client_statement" in r]) == len(wanted) - 1
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == len(wanted)
    assert first.file in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.read_bytes().startswith(b"%PDF-") for file in files)


def test_one_clients_failure_does_not_stop_the_others(api, box, tmp_path):
    wanted = list(owing(api))[:3]
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": 500, "nth": 1, "times": 3}])
    drawn = list(draw_statements(api, wanted, YEAR, tmp_path))
    box.switch(faults=[])
    assert [one.file is None for one in drawn] == [True, False, False]
    assert not list(tmp_path.glob("*.part"))


def test_a_link_in_the_place_of_a_file_is_not_followed(api, tmp_path):
    one = next(iter(owing(api)))
    (tmp_path / "out").mkdir(mode=0o700)
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out" / file_name(one, YEAR)).symlink_to(tmp_path / "victim")
    with pytest.raises(SettingsError, match="no plain file"):
        list(draw_statements(api, [one], YEAR, tmp_path / "out"))
    assert (tmp_path / "victim").read_text() == "mine"


def test_the_commands_for_files_and_odd_operations(box, tmp_path, monkeypatch):
    for name, value in {
        "NINJA_SYNC_URL": box.sandbox.url, "NINJA_SYNC_TOKEN": box.sandbox.token,
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"), "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*args):
        done = CliRunner().invoke(app, ["clients", *args])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    one = box.make("Commanded")["id"]
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\n%%EOF")
    assert "a.pdf" in run("upload", one, "a.pdf")
    assert "fetched" in run("statement", one, "--start", "2026-01-01", "--no-aging")
    assert "was there" in run("statement", one, "--start", "2026-01-01")
    assert len(run("statement", "--all-with-balance", "--to", "all").splitlines()) > 3
    assert "does not tell" in run("statement", one, "--email")
    assert "Commanded" in run("update-tax-data", one)
    design = box.call("POST", "/_sandbox/designs", {"name": "Letter"})["id"]
    assert "The server says" in run("template", design, one)
    for args, words in (
        (["statement"], "Say whose"), (["statement", one, "--start", "1.1.2026"], "2026-12-31"),
        (["reactivate-email", "1"], "mail service refuses"),
    ):  # fmt: skip
        with pytest.raises(Exception, match=words):
            run(*args)
