"""A Postgres that a pull could not use: `doctor` says so before it, and a pull says why."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from tests.postgres import ENVIRONMENT, PASSWORD, Cluster, free_port


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


def test_a_user_who_may_only_read_is_told_so(ninja, database, role, postgres):
    assert ninja(database.url, "pull")[0] == 0
    with postgres.admin(database.url.rpartition("/")[2]) as admin:
        for schema in ("control", "ninja", "mart"):
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
