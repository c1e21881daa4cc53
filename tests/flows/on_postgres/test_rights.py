"""A Postgres that a pull could not use: `doctor` says so before it, and a pull says why."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess

import pytest

from flows import table
from flows.ask.today import read_changes, read_today
from flows.configuration.values import Settings
from schemas.errors import SettingsError, WarehouseError
from tests.postgres import ENVIRONMENT, PASSWORD, Cluster, free_port
from warehouse.engine.sql import named
from warehouse.schema.public import SCHEMAS


@pytest.fixture
def ninja(command, tmp_path):
    """The command line with a warehouse."""

    def run(url, *args):
        return command(*args, environ={"NINJA_SYNC_WAREHOUSE": url, "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "400"})

    return run


@pytest.fixture
def role(postgres, database):
    """A user without rights; its name and its URL."""
    name = f"u_{database.url.rpartition('/')[2]}"
    with postgres.admin() as admin:
        admin.execute(f"create role {name} login password '{PASSWORD}'")
    return name, postgres.url(database.url.rpartition("/")[2], name)


def test_a_user_who_may_not_make_schemas_is_told_so(ninja, role):
    code, out, _ = ninja(role[1], "doctor")
    assert (code, "may not create schemas" in out) == (6, True)
    code, _, err = ninja(role[1], "pull")
    assert (code, "may not create schemas. As the owner of the database: grant create" in err) == (6, True)


def test_an_upgrade_by_a_user_who_may_no_longer_create_schemas_says_what_is_missing(ninja, database, role, postgres):
    name = database.url.rpartition("/")[2]
    with postgres.admin(name) as admin:
        admin.execute(f'grant create on database "{name}" to {role[0]}')
    assert ninja(role[1], "pull")[0] == 0
    with postgres.admin(name) as admin:
        admin.execute(f'revoke create on database "{name}" from {role[0]}')
    assert ninja(role[1], "pull")[0] == 0
    with postgres.admin(name) as admin:
        admin.execute("delete from control.migrations where number = (select max(number) from control.migrations)")
        admin.execute("drop schema mart_public cascade")
    for answer in (ninja(role[1], "doctor", "--json")[1], ninja(role[1], "pull")[2]):
        assert "may not create schemas. As the owner of the database: grant create on database" in answer


def test_a_user_who_may_only_read_is_told_so(ninja, database, role, postgres):
    assert ninja(database.url, "pull")[0] == 0
    with postgres.admin(database.url.rpartition("/")[2]) as admin:
        for schema in SCHEMAS:
            admin.execute(f"grant usage on schema {schema} to {role[0]}")
            admin.execute(f"grant select on all tables in schema {schema} to {role[0]}")
    code, out, _ = ninja(role[1], "doctor")
    assert (code, "may only read" in out) == (6, True)


def test_a_database_in_read_only_mode_is_bad_and_named(ninja, database, postgres):
    with postgres.admin() as admin:
        admin.execute(f'alter database "{database.url.rpartition("/")[2]}" set default_transaction_read_only = on')
    code, out, _ = ninja(database.url, "doctor")
    assert (code, "default_transaction_read_only" in out) == (6, True)
    code, _, err = ninja(database.url, "pull")
    assert (code, "default_transaction_read_only" in err) == (6, True)


def test_a_statement_that_a_time_out_ended_names_it(ninja, database, role, postgres):
    with postgres.admin() as admin:
        admin.execute(f"alter role {role[0]} set statement_timeout = '50ms'")
    code, _, err = ninja(role[1], "sql", "select pg_sleep(60)")
    assert (code, "statement_timeout" in err) == (2, True)


@pytest.fixture
def standby(postgres, database):
    """A standby of the tests' server, which has been promoted by nobody; the URL of the same database on it."""
    folder = postgres.folder / "standby"
    folder.mkdir(exist_ok=True)
    if postgres.user:
        shutil.chown(folder, postgres.user)
    subprocess.run(
        [postgres.bin / "pg_basebackup", "-d", postgres.url("postgres"), "-D", folder / "data", "-R", "-X", "stream",
         "-c", "fast"],
        user=postgres.user, env=ENVIRONMENT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    made = Cluster(postgres.bin, folder, free_port(), postgres.user)
    made.start()
    yield made.url(database.url.rpartition("/")[2])
    made.stop(signal.SIGQUIT)
    shutil.rmtree(folder)


def test_a_standby_is_bad_and_named(ninja, standby):
    code, out, _ = ninja(standby, "doctor")
    assert (code, "standby" in out) == (6, True)
    code, _, err = ninja(standby, "pull")
    assert (code, "standby" in err) == (6, True)


def test_a_role_without_personal_data_asks_for_everything_in_every_view_and_for_nothing_else(ninja, database, role):
    assert ninja(database.url, "pull")[0] == 0
    code, out, _ = ninja(database.url, "grant", "--role", role[0], "--json")
    assert (code, json.loads(out)["schemas"]) == (0, ["mart_public"])
    settings = Settings(warehouse=role[1])
    for view in named("mart"):
        assert table(view, personal=False, settings=settings).num_columns > 0
    assert ninja(role[1], "sql", "select * from mart_public.clients")[0] == 0
    assert ninja(role[1], "sql", "select * from mart_public.aging_as_of(date '2026-01-31')")[0] == 0
    for closed in ("mart.clients", "ninja.clients", "control.runs", "mart.aging_as_of(current_date)"):
        code, _, err = ninja(role[1], "sql", f"select 1 from {closed}")
        assert (code, "permission denied" in err) == (2, True), closed
    with pytest.raises(SettingsError, match="personal=False"):
        table("clients", settings=settings)


@pytest.mark.parametrize(
    ("kind", "readable"), [((), "mart_public"), (("--with-personal-data",), "mart and mart_public")]
)
def test_a_role_that_reads_views_is_told_how_by_every_command_that_it_cannot_run(ninja, database, role, kind, readable):
    assert ninja(database.url, "pull")[0] == 0
    assert ninja(database.url, "grant", "--role", role[0], *kind)[0] == 0
    for command in ("balances", "aging", "history", "client 0001", "status", "reconciliation"):
        code, _, err = ninja(role[1], *command.split())
        assert (code, "needs the role that pulls" in err, "`ninja-sync sql`" in err) == (6, True, True), (command, err)
        assert len(err.splitlines()) == 1
    code, _, err = ninja(role[1], "sql", "select 1 from control.runs")
    assert (code, f"may read those of {readable}." in err) == (2, True)
    assert ninja(role[1], "sql", f"select 1 from {readable.split()[0]}.clients")[0] == 0


@pytest.mark.parametrize("kind", [(), ("--with-personal-data",), ("whole",)])
def test_today_shows_a_role_what_it_may_see(ninja, database, role, kind, server):
    assert ninja(database.url, "pull")[0] == 0
    purged = next(iter(server.clients(status="active").values()))
    server.purge(purged["id"])
    assert ninja(database.url, "sweep")[0] == 0
    if kind != ("whole",):
        assert ninja(database.url, "grant", "--role", role[0], *kind)[0] == 0
    whole = read_today(Settings(warehouse=database.url), None)
    settings = Settings(warehouse=database.url if kind == ("whole",) else role[1])
    seen = read_today(settings, None)
    assert (seen.sight.everything, seen.sight.names) == (kind == ("whole",), kind != ())
    assert (seen.balances, seen.changes) == (whole.balances, whole.changes)
    assert [fresh.loaded_at for fresh in seen.fresh] == [fresh.loaded_at for fresh in whole.fresh]
    ((gone,), number) = read_changes(settings, None, "vanished", most=5)
    assert (gone["id"], gone["name"], number) == (purged["id"], purged["display_name"] if kind else None, 1)


def test_today_tells_a_role_without_any_right_how_to_get_one(ninja, database, role):
    assert ninja(database.url, "pull")[0] == 0
    with pytest.raises(WarehouseError, match="ninja-sync grant --role"):
        read_today(Settings(warehouse=role[1]), None)
