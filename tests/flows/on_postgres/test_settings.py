"""Texts and moments are exact, whatever role, database or environment set for a session of Postgres."""

from __future__ import annotations

import json

import pytest

from tests.crashes.witness import found_in, truth
from tests.postgres import PASSWORD

CITY = "Łódź „東京“ ß ı\\n"
HOSTILE = {
    "client_encoding": "LATIN1", "datestyle": "German, DMY", "intervalstyle": "sql_standard", "timezone": "Asia/Tokyo",
    "standard_conforming_strings": "off", "extra_float_digits": "-15", "bytea_output": "escape", "array_nulls": "off",
    "transform_null_equals": "on", "default_transaction_isolation": "serializable", "search_path": "nowhere",
}  # fmt: skip
OPTIONS = " ".join(f"-c {name}={value}" for name, value in HOSTILE.items() if " " not in value)
EVERYTHING = (
    "select c.city, c.created_at, date '2026-02-01' as day, interval '1 day 02:03' as term, "
    "cast(0.1 as double precision) + 0.2 as sum from mart.clients as c where c.city like 'Ł%' "
    "order by length(c.city) desc"
)


@pytest.fixture
def ninja(command, database, tmp_path):
    """The command line with this database as its warehouse."""

    def run(*args, **environ):
        environ = {"NINJA_SYNC_WAREHOUSE": database.url, "XDG_STATE_HOME": str(tmp_path), **environ}
        return command(*args, environ=environ)

    return run


def set_for(postgres, database, what):
    """Have the hostile settings in force for a database or a role; the environment that a command gets."""
    name = database.url.rpartition("/")[2]
    with postgres.admin() as admin:
        if what == "role":
            admin.execute(f"create role \"{name}\" superuser login password '{PASSWORD}'")
        for setting, value in HOSTILE.items():
            admin.execute(f"alter {'database' if what == 'database' else 'role'} \"{name}\" set {setting} = '{value}'")
    return {"NINJA_SYNC_WAREHOUSE": postgres.url(name, name)} if what == "role" else {}


def service(database, tmp_path):
    """An environment that says all of it in libpq's own variables, and the rest in a service file."""
    file = tmp_path / "services"
    file.write_text("[books]\nclient_encoding=LATIN1\n")
    return {
        "PGCLIENTENCODING": "LATIN1", "PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo", "PGOPTIONS": OPTIONS,
        "PGSERVICEFILE": str(file), "NINJA_SYNC_WAREHOUSE": f"{database.url}?service=books",
    }  # fmt: skip


@pytest.mark.parametrize("where", ["database", "role", "environment"])
def test_texts_and_moments_are_exact_whatever_a_session_is_set_to(ninja, server, database, postgres, tmp_path, where):
    client = next(c for c in server.clients().values() if not c["is_deleted"] and not c["archived_at"])
    server.edit(client, city=CITY)
    assert ninja("pull")[0] == 0
    usual = ninja("sql", "--json", EVERYTHING)[1]
    odd = service(database, tmp_path) if where == "environment" else set_for(postgres, database, where)
    assert ninja("sql", "--json", EVERYTHING, **odd) == (0, usual, "")
    assert json.loads(usual)[0]["city"] == CITY

    other = next(c for c in server.clients().values() if c["id"] != client["id"] and not c["is_deleted"])
    server.edit(other, city=CITY + "!")
    assert ninja("pull", **odd)[0] == 0
    assert found_in(database).clients == truth(server.clients())
    code, out, err = ninja("push", "plan", "--query", "select id, city from mart.clients where city like 'Ł%'", **odd)
    assert (code, "nothing to change" in out + err) == (0, True)
    assert ninja("balances", "--at", "2099-12-31", **odd)[0] == 0


def test_a_database_that_is_not_utf_8_is_refused_with_that_word(ninja, postgres):
    with postgres.admin() as admin:
        admin.execute("create database latin_books template template0 encoding 'LATIN1' locale 'C'")
    try:
        code, _, err = ninja("pull", NINJA_SYNC_WAREHOUSE=postgres.url("latin_books"))
        assert (code, "UTF-8" in err) == (6, True)
    finally:
        postgres.drop_database("latin_books")
