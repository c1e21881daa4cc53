"""kill -9 while a warehouse is made or brought to this version: it is of the old version or of the new one."""

from __future__ import annotations

import pytest

from tests.crashes.changes import chances
from tests.crashes.victim import KILLED
from tests.crashes.witness import found_in, truth
from warehouse.engine.duckdb import open_warehouse
from warehouse.schema.mirror import MIRROR_FINGERPRINT, MIRROR_VERSION
from warehouse.schema.public import SCHEMAS

KILLS = 3
VERSION = "select version, fingerprint from control.mirror"


def schemas(path):
    with open_warehouse(path) as warehouse:
        found = warehouse.rows("select schema_name from information_schema.schemata")
        return {name for (name,) in found if name in SCHEMAS}


def make_older(path):
    """Make the warehouse one of an earlier version: with other columns, and other views."""
    with open_warehouse(path) as warehouse, warehouse.transaction():
        warehouse.execute("drop view mart.client_balances")
        warehouse.execute("alter table ninja.clients drop column website")
        warehouse.execute("update control.mirror set version = 0")


def columns(path):
    with open_warehouse(path) as warehouse:
        made = (
            "select column_name from information_schema.columns where table_schema = 'ninja' and table_name = 'clients'"
        )
        views = "select table_name from information_schema.tables where table_schema = 'mart'"
        has = ("website",) in warehouse.rows(made), ("client_balances",) in warehouse.rows(views)
        return warehouse.rows(VERSION), *has


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_warehouse_that_is_being_made_is_empty_or_whole(path, victims, seed):
    took = 0.12
    (victim,) = victims.send(deed="migrate")
    victim.wait("migrating")
    victim.kill(chances(seed).uniform(0, 1.2) * took)
    if path.exists():
        assert schemas(path) in (set(), set(SCHEMAS))
    assert victims.pull(deed="migrate").code == 0
    assert schemas(path) == set(SCHEMAS)


@pytest.mark.parametrize("seed", range(KILLS))
def test_an_upgrade_that_is_killed_leaves_the_old_version_or_the_new_one_with_all_rows(server, path, victims, seed):
    victims.pull()
    make_older(path)
    before, old = found_in(path), columns(path)
    assert old == ([(0, MIRROR_FINGERPRINT)], False, False)
    (victim,) = victims.send(deed="migrate")
    victim.wait("migrating")
    victim.kill(chances(seed).uniform(0.05, 0.4))
    assert victim.status in (KILLED, 0)
    new = ([(MIRROR_VERSION, MIRROR_FINGERPRINT)], True, True)
    assert columns(path) in (old, new)
    assert found_in(path) == before
    assert victims.pull().code == 0
    assert columns(path) == new
    assert found_in(path).clients == truth(server.clients())
