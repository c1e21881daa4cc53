"""The project docs/dbt under a real dbt, on both engines: its models and tests, every view and every column.

`make dbt` installs dbt into .venv-dbt and runs this; `make test` does not, as installing takes longer than it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from tests.engines import address
from tests.postgres import PASSWORD
from tests.receivables.fill import fill
from tests.receivables.office import TEMPLATES
from tests.records import client
from tests.warehouse.conftest import load_records, warehouse  # noqa: F401 - fixtures
from tests.warehouse.mart.test_aging import ago, invoice, payment, use
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.place import reader_of
from warehouse.engine.sql import named
from warehouse.publish.publish import publish
from warehouse.schema import grants

ROOT = Path(__file__).parents[2]
DBT = ROOT / ".venv-dbt" / "bin" / "dbt"
PROJECT = ROOT / "docs" / "dbt"
SECTION = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8").partition("\n## dbt\n")[2].partition("\n## ")[0]
MODELS = {path.stem for path in PROJECT.glob("models/*/*.sql")}
SOURCES = {
    one["name"]: one for one in yaml.safe_load((PROJECT / "models" / "sources.yml").read_text("utf-8"))["sources"]
}
RECEIVABLES = "select owed, overpaid, net, unapplied_payments, open_credits, debtors from {}receivables_by_month_end"
BOOKED = [(Decimal(130), Decimal(7), Decimal(123), Decimal(40), Decimal(5), 1)]


@pytest.fixture
def books(warehouse, load_records):  # noqa: F811 - fixtures
    """A warehouse with open, overpaid and paid invoices, an unapplied payment, and documents of an unknown client."""
    load_records([client("a"), client("b")], reference=reference("UTC"))
    invoices = [
        invoice("i", balance=30, paid_to_date=70), invoice("j"), invoice("o", client_id="b", balance=-7, amount=0),
        invoice("p", balance=0, paid_to_date=100, status_id="4"), invoice("d", status_id="1"),
        invoice("z", client_id="unknown", balance=0, paid_to_date=0, status_id="5"),
    ]  # fmt: skip
    fill(warehouse, INVOICES, invoices)
    paid = [use("u", 70), use("v", 100, of="p")]
    fill(warehouse, PAYMENTS, [payment("x", *paid, amount=210), payment("y", client_id="unknown", amount=0)])
    credit = {"id": "k", "client_id": "a", "balance": 5, "status_id": "2", "is_deleted": False, "date": ago(50)}
    fill(warehouse, CREDITS, [TEMPLATES["credits"] | credit])
    return warehouse


@pytest.fixture
def project(tmp_path):
    """A copy of the project."""
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def ask_for_everything(project, source):
    """Add a model for each view of a source, which asks for each column that is named."""
    for table in SOURCES[source]["tables"]:
        listed = ", ".join(f'"{column["name"]}"' for column in table["columns"])
        text = f"select {listed} from {{{{ source('{source}', '{table['name']}') }}}}"
        (project / "models" / f"{source}_{table['name']}.sql").write_text(text, encoding="utf-8")


def put_into_profile(project, *pairs):
    profiles = project / "profiles.yml"
    text = profiles.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    profiles.write_text(text, encoding="utf-8")


def dbt(project, command, **environ):
    environment = {"PATH": os.environ["PATH"], "HOME": str(project), **environ}
    return subprocess.run(
        [str(DBT), *command.split()], cwd=project, env=environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


def build(project, target, sources, **environ):
    """Build and test everything as the docs say; return the number of tests that passed."""
    (command,) = re.findall(r"^dbt (build.*?) --target \w+$", SECTION, re.MULTILINE)
    done = dbt(project, f"{command} --target {target}", **environ)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    assert "eprecat" not in done.stdout
    (passed,) = re.findall(r"Done\. PASS=(\d+) WARN=0 ERROR=0 SKIP=0", done.stdout)
    return int(passed) - len(MODELS) - sum(len(SOURCES[name]["tables"]) for name in sources)


@pytest.fixture
def on_duckdb(books, place, project):
    """The project with the published copy in its profile."""
    publish(books)
    put_into_profile(project, ("/srv/books/warehouse.duckdb.published/reader.duckdb", str(reader_of(place))))
    return project


def test_the_sources_are_the_views_of_both_schemas_and_the_mirror():
    assert {name: source["schema"] for name, source in SOURCES.items()} == {
        "ninja": "mart_public", "ninja_personal": "mart", "ninja_records": "ninja",
    }  # fmt: skip
    for source in (SOURCES["ninja"], SOURCES["ninja_personal"]):
        assert [table["name"] for table in source["tables"]] == sorted(named("mart"))
    assert "personal data)" not in str(SOURCES["ninja"])


def test_no_model_reads_personal_data():
    assert len(MODELS) == 5
    for path in PROJECT.rglob("*.sql"):
        assert not re.search("ninja_(personal|records)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", ["duckdb"], indirect=True)
def test_dbt_builds_and_tests_on_the_published_copy_and_leaves_it_unchanged(on_duckdb, place):
    before = reader_of(place).read_bytes()
    for source in SOURCES:
        ask_for_everything(on_duckdb, source)
    assert build(on_duckdb, "duckdb", SOURCES) > 15
    assert reader_of(place).read_bytes() == before
    with duckdb.connect(str(on_duckdb / "analytics.duckdb"), read_only=True) as made:
        newest = "where day = (select max(day) from receivables_by_month_end)"
        assert made.sql(f"{RECEIVABLES.format('')} {newest}").fetchall() == BOOKED
        ((days,),) = made.sql("select count(distinct day) from receivables_by_month_end").fetchall()
        assert days > 1
        paid = "select paid_invoices, paid_amount, median_days_to_pay, paid_late from days_to_pay_by_segment"
        assert made.sql(paid).fetchall() == [(1, 100, 50, 1)]
        assert made.sql("select count(*) from ninja_clients").fetchall() == [(2,)]
        assert made.sql("select distinct table_type from information_schema.tables").fetchall() == [("BASE TABLE",)]
    fresh = dbt(on_duckdb, "source freshness --profiles-dir . --target duckdb")
    assert re.search("(PASS|WARN) freshness of ninja.load_status", fresh.stdout), fresh.stdout


@pytest.mark.parametrize("place", ["duckdb"], indirect=True)
def test_the_tests_of_the_project_fail_on_figures_that_do_not_add_up(on_duckdb):
    model = on_duckdb / "models" / "marts" / "receivables_by_month_end.sql"
    text = model.read_text(encoding="utf-8")
    assert "sum(net) as net" in text
    model.write_text(text.replace("sum(net) as net", "sum(owed) as net"), encoding="utf-8")
    done = dbt(on_duckdb, "build --profiles-dir . --target duckdb")
    assert done.returncode == 1
    assert re.search(r"FAIL \d+ receivables_add_up", done.stdout)


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_dbt_builds_and_tests_on_postgres_as_a_role_that_reads_only_mart_public(books, place, project, postgres):
    ask_for_everything(project, "ninja")
    grants.grant(books, "analysts", grants.ANALYST, now=datetime.now(UTC))
    database = address(place).rpartition("/")[2]
    with postgres.admin(database) as connection:
        for statement in re.findall(r"^(create (?:role|schema) .*?)(?: +--.*)?$", SECTION, re.MULTILINE):
            connection.execute(statement.replace("'...'", f"'{PASSWORD}'"))
    put_into_profile(
        project, ("db.example.com", "127.0.0.1"), ("5432", str(postgres.port)), ("dbname: books", f"dbname: {database}")
    )
    assert build(project, "postgres", ["ninja"], DBT_PASSWORD=PASSWORD) > 15
    newest = "where day = (select max(day) from dbt.receivables_by_month_end)"
    assert books.rows(f"{RECEIVABLES.format('dbt.')} {newest}") == BOOKED
    assert books.rows("select count(*) from dbt.ninja_clients") == [(2,)]
    ask_for_everything(project, "ninja_personal")
    closed = dbt(project, "run --profiles-dir . --target postgres -s ninja_personal_clients", DBT_PASSWORD=PASSWORD)
    assert (closed.returncode, "permission denied for schema mart" in closed.stdout) == (1, True)
