"""What must not be lost: migrations, bindings, the version stamp."""

from __future__ import annotations

import subprocess
import sys

import pytest

from schemas.errors import SettingsError, WarehouseError
from tests.records import MOMENT
from warehouse.control.state import Binding, State, bind, check_binding, read_state
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.sql import named
from warehouse.opened import migrate as migrations
from warehouse.opened.migrate import migrate, open_migrated
from warehouse.schema.mirror import mirrored

BOUND = Binding("https://ninja.test", "VolejRejNm", "fingerprint")


def test_a_new_warehouse_has_every_table_and_view(warehouse):
    found = set(warehouse.rows("select table_schema, table_name from information_schema.tables"))
    wanted = {("ninja", entity.name) for entity, _ in mirrored()}
    wanted |= {(schema, name) for schema in ("mart", "mart_public") for name in named("mart")}
    assert wanted <= found
    assert [n for (n,) in warehouse.rows("select name from control.migrations order by number")] == named("control")


def test_migrating_again_changes_nothing(warehouse):
    before = warehouse.rows("select * from control.migrations")
    migrate(warehouse, now=MOMENT)
    assert warehouse.rows("select * from control.migrations") == before


@pytest.mark.quick(where=lambda done: done % 15 == 0)
@pytest.mark.parametrize("done", range(len(named("control"))))
def test_a_migration_that_fails_leaves_the_warehouse_as_it_was(warehouse_path, monkeypatch, done):
    text = migrations.statement

    def broken(name):
        return "select nonsense from nowhere" if name == f"control/{named('control')[done]}" else text(name)

    with open_warehouse(warehouse_path) as opened:
        monkeypatch.setattr(migrations, "statement", broken)
        with pytest.raises(WarehouseError):
            migrate(opened, now=MOMENT)
        schemas = opened.rows("select schema_name from information_schema.schemata where schema_name = 'control'")
        assert schemas == []
        monkeypatch.undo()
        migrate(opened, now=MOMENT)


def test_a_warehouse_of_a_newer_version_is_refused_and_untouched(warehouse_path):
    with open_warehouse(warehouse_path) as opened:
        migrate(opened, now=MOMENT)
        opened.execute("insert into control.migrations values (999, '9999_from_the_future', 'digest', now())")
        opened.checkpoint()
    before = warehouse_path.read_bytes()
    with open_warehouse(warehouse_path) as opened, pytest.raises(WarehouseError, match="newer version"):
        migrate(opened, now=MOMENT)
    assert warehouse_path.read_bytes() == before


def test_a_migration_that_was_edited_is_refused_by_name_and_untouched(warehouse, monkeypatch):
    text = migrations.statement
    monkeypatch.setattr(migrations, "statement", lambda name: text(name) + (" " if "0002_runs" in name else ""))
    with pytest.raises(WarehouseError, match=r"another build.*0002_runs"):
        migrate(warehouse, now=MOMENT)


def test_a_warehouse_of_a_build_without_digests_is_refused(warehouse):
    warehouse.execute("alter table control.migrations drop column digest")
    with pytest.raises(WarehouseError, match="before the first release"):
        migrate(warehouse, now=MOMENT)


def test_a_source_that_was_never_pulled_has_the_empty_state(warehouse):
    assert read_state(warehouse, "main") == State()


def test_a_bound_source_refuses_another_company_and_another_server(warehouse):
    bind(warehouse, "main", BOUND, version="5.10.42", now=MOMENT)
    known = read_state(warehouse, "main").binding
    check_binding("main", known, BOUND)
    check_binding("new", None, BOUND)
    with pytest.raises(SettingsError, match="another company"):
        check_binding("main", known, Binding(BOUND.base_url, "Wpmbk5ezJn", "other"))
    with pytest.raises(SettingsError, match=r"another server.*rebind main"):
        check_binding("main", known, Binding("https://other.test", BOUND.company_id, BOUND.company_fingerprint))


def test_a_server_that_was_installed_anew_at_the_same_address_is_another_company(warehouse):
    bind(warehouse, "main", BOUND, version=None, now=MOMENT)
    with pytest.raises(SettingsError):
        check_binding("main", BOUND, Binding(BOUND.base_url, BOUND.company_id, "another key"))


def test_a_warehouse_that_is_refused_is_closed_again(warehouse_path):
    with open_migrated(warehouse_path, now=MOMENT) as opened:
        opened.execute("insert into control.migrations values (999, '9999_from_the_future', 'digest', now())")
    with pytest.raises(WarehouseError, match="newer version") as caught:
        open_migrated(warehouse_path, now=MOMENT, wait=0)
    command = [sys.executable, "-c", "import sys, duckdb; duckdb.connect(sys.argv[1])", str(warehouse_path)]
    assert subprocess.run(command, check=False).returncode == 0, caught
