"""The notebook of docs/examples runs on both engines, shows the warehouse's figures, and needs none to open."""

from __future__ import annotations

import runpy
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest

from flows.configuration.load import place_of
from tests.docs.pages import ROOT
from tests.engines import address
from tests.postgres import PASSWORD
from warehouse.opened.open import open_place
from warehouse.schema.grants import ANALYST, grant

NOTEBOOK = ROOT / "docs" / "examples" / "receivables.py"
SUMS = ["not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_over_90", "owed", "overpaid", "net"]
THEN = datetime.now(UTC).date() - timedelta(days=100)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the notebook on a warehouse, with these choices; its variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def of(warehouse, **choices):
        monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", str(warehouse))
        app = runpy.run_path(str(NOTEBOOK), run_name="notebook")["app"]
        return app.run(defs={name: SimpleNamespace(value=value) for name, value in choices.items()})[1]

    return of


def rows_of(settings, asked):
    with open_place(place_of(settings), read_only=True) as warehouse:
        columns, rows = warehouse.answer(f"select * from {asked}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("code", ["EUR", None])
def test_its_tables_hold_the_figures_of_the_warehouse_now_and_on_a_day(kept, run, code):
    shown = run(kept.warehouse, currency=code or "no currency", day=THEN)
    assert [row["owed"] for row in rows_of(kept, "mart.balances_by_currency order by owed desc")] == list(
        shown["balances"]["owed"]
    )
    for column, asked in (("now", "mart.aging"), (f"at the end of {THEN}", f"mart.aging_as_of(date '{THEN}')")):
        rows = [row for row in rows_of(kept, asked) if row["currency_code"] == code]
        assert shown["compared"][column].to_dict() == {name: sum(row[name] for row in rows) for name in SUMS}
        assert rows
    now = [row for row in rows_of(kept, "mart.aging") if row["currency_code"] == code]
    assert list(shown["most"]["owed"]) == sorted((row["owed"] for row in now), reverse=True)[:10]
    then = {row["client_id"]: row["owed"] for row in rows_of(kept, f"mart.aging_as_of(date '{THEN}')")}
    most = shown["most"].to_dict("records")
    assert [row["owed_then"] for row in most] == [then.get(row["client_id"], 0) for row in most]


def test_without_a_choice_it_begins_with_the_currency_that_owes_most(kept, run):
    shown = run(kept.warehouse)
    assert shown["currency"].value == "EUR"
    assert set(shown["currency"].options) == {"EUR", "no currency"}
    assert shown["day"].value == shown["today"]["day"].max() - timedelta(days=90)


def test_each_panel_of_the_picture_is_of_one_currency(kept, run):
    panels = [axis for axis in run(kept.warehouse)["figure"].axes if axis.get_visible()]
    assert [panel.get_title(loc="left").partition(":")[0] for panel in panels] == ["EUR", "no currency"]
    with open_place(place_of(kept)) as warehouse:
        warehouse.execute("update ninja.clients set is_deleted = true where currency_id <> '3'")
    shown = run(kept.warehouse)
    assert [axis.get_visible() for axis in shown["figure"].axes] == [True, False]
    bars = shown["figure"].axes[0].containers[1]
    assert [Decimal(str(bar.get_height())) for bar in bars] == list(shown["compared"]["now"][[*SUMS[:5], "overpaid"]])


def test_a_warehouse_of_clients_alone_has_balances_and_nothing_overdue(settings, pulls, place, run):
    chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    pulls(using=chosen)
    shown = run(chosen.warehouse)
    assert len(shown["balances"]) > 1
    assert set(shown["compared"]["now"]) == {0}
    assert shown["figure"].get_suptitle() == "No client has an open invoice"


def test_without_clients_or_a_warehouse_it_says_what_to_do(place, run, tmp_path):
    for warehouse in (address(place), tmp_path / "none.duckdb"):
        with pytest.raises(SystemExit, match="`ninja-sync pull`"):
            run(warehouse)


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_role_without_personal_data_sees_the_same_figures_and_no_names(kept, place, run, postgres):
    database = address(place).rpartition("/")[2]
    with open_place(place) as warehouse:
        grant(warehouse, f"u_{database}", ANALYST, now=datetime.now(UTC))
    with postgres.admin() as admin:
        admin.execute(f"alter role u_{database} login password '{PASSWORD}'")
    choices = {"currency": "EUR", "day": THEN}
    whole, shown = run(kept.warehouse, **choices), run(postgres.url(database, f"u_{database}"), **choices)
    assert shown["compared"].equals(whole["compared"])
    named, numbered = whole["most"], shown["most"]
    assert "client_name" in named
    assert "client_name" not in numbered
    for column in ("client_number", "owed_then", "owed"):
        assert list(numbered[column]) == list(named[column])


def test_as_a_program_it_prints_its_tables_and_draws(kept, environment, tmp_path):
    done = subprocess.run(
        [sys.executable, NOTEBOOK], env={**environment, "NINJA_SYNC_WAREHOUSE": kept.warehouse}, cwd=tmp_path,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = [row for row in rows_of(kept, "mart.balances_by_currency") if row["currency_code"] == "EUR"]
    assert str(row["owed"]) in done.stdout
    assert (tmp_path / "receivables.png").read_bytes().startswith(b"\x89PNG")


def test_marimo_finds_no_fault_in_it():
    done = subprocess.run(
        [sys.executable, "-m", "marimo", "check", "--strict", NOTEBOOK],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
