"""The dbt project of docs/bi.md, as it is written there, under a real dbt: on both engines, every view, every column.

`make dbt` installs dbt into .venv-dbt and runs this; `make test` does not, as installing takes longer than it.
"""

from __future__ import annotations

import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.engines import address
from tests.postgres import PASSWORD
from tests.records import NOW, client
from tests.warehouse.conftest import load_records, warehouse  # noqa: F401 - fixtures
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.place import reader_of
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import named
from warehouse.opened.open import open_place
from warehouse.publish.publish import publish

ROOT = Path(__file__).parents[2]
DBT = ROOT / ".venv-dbt" / "bin" / "dbt"
SECTION = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8").partition("\n## dbt\n")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^`([\w./]+\.(?:yml|sql))`(?:(?!\n\n).)*\n\n```\w+\n(.*?)```", re.MULTILINE | re.DOTALL)
FILES = dict(BLOCK.findall(SECTION))
SOURCES = (ROOT / "docs" / "dbt" / "sources.yml").read_text(encoding="utf-8")
OWED, OVERPAID = Decimal("1000003.17"), Decimal("2000011.29")


@pytest.fixture
def books(warehouse, load_records):  # noqa: F811 - fixtures
    """A warehouse with a client that owes and one that has overpaid."""
    records = [client("a", balance=OWED, created_at=NOW), client("b", balance=-OVERPAID, created_at=NOW)]
    load_records(records, reference=reference("UTC"))
    return warehouse


@pytest.fixture
def project(tmp_path):
    """The files of the docs in a folder, and a model for each view that asks for each column that is named."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "models" / "sources.yml").write_text(SOURCES, encoding="utf-8")
    (source,) = yaml.safe_load(SOURCES)["sources"]
    assert [table["name"] for table in source["tables"]] == named("mart")
    for table in source["tables"]:
        listed = ", ".join(f'"{column["name"]}"' for column in table["columns"])
        text = (
            f"{{{{ config(materialized='table') }}}} select {listed} from {{{{ source('ninja', '{table['name']}') }}}}"
        )
        (folder / "models" / f"whole_{table['name']}.sql").write_text(text, encoding="utf-8")
    return folder


def build(project, target, **environ):
    (command,) = re.findall(r"^dbt (build .*?) --target \w+$", SECTION, re.MULTILINE)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(project),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        **environ,
    }
    done = subprocess.run(
        [str(DBT), *command.split(), "--target", target], cwd=project, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"PASS={len(named('mart')) + 1} " in done.stdout
    return done


def test_the_docs_name_the_files_of_the_project():
    assert set(FILES) == {"dbt_project.yml", "profiles.yml", "models/owed.sql"}


@pytest.mark.parametrize("place", ["duckdb"], indirect=True)
def test_dbt_builds_on_the_published_copy_and_leaves_it_as_it_is(books, place, project):
    publish(books)
    copy = reader_of(place)
    before = copy.read_bytes()
    profiles = project / "profiles.yml"
    profiles.write_text(
        profiles.read_text().replace("/srv/books/warehouse.duckdb.published/reader.duckdb", str(copy)), encoding="utf-8"
    )
    build(project, "duckdb", DBT_PASSWORD="")
    assert copy.read_bytes() == before
    with duckdb.connect(str(project / "analytics.duckdb"), read_only=True) as made:
        assert made.sql("select debtors, owed, creditors, overpaid, net from owed").fetchall() == [
            (1, OWED, 1, OVERPAID, OWED - OVERPAID)
        ]
        assert made.sql("select count(*) from whole_clients").fetchall() == [(2,)]


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_dbt_builds_on_postgres_as_a_role_that_reads_the_views(books, place, project, postgres):
    from datetime import UTC, datetime  # noqa: PLC0415

    from warehouse.schema import grants  # noqa: PLC0415

    assert books.engine != DUCKDB
    with open_place(place) as opened:
        grants.grant(opened, "analysts", grants.ANALYST_WITH_PERSONAL_DATA, now=datetime.now(UTC))
    database = address(place).rpartition("/")[2]
    with postgres.admin(database) as connection:
        for statement in re.findall(r"^(create (?:role|schema) .*?)(?: +--.*)?$", SECTION, re.MULTILINE):
            connection.execute(statement.replace("'...'", f"'{PASSWORD}'"))
    profiles = project / "profiles.yml"
    text = (
        profiles.read_text(encoding="utf-8").replace("db.example.com", "127.0.0.1").replace("5432", str(postgres.port))
    )
    profiles.write_text(text.replace("dbname: books", f"dbname: {database}"), encoding="utf-8")
    build(project, "postgres", DBT_PASSWORD=PASSWORD)
    assert books.rows("select debtors, owed, creditors, overpaid, net from dbt.owed") == [
        (1, OWED, 1, OVERPAID, OWED - OVERPAID)
    ]
    assert books.rows("select count(*) from dbt.whole_clients") == [(2,)]
