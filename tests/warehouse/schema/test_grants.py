"""Roles on Postgres: each logs in and tries each object."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from schemas.billing import INVOICES, PAYMENTS
from schemas.errors import SettingsError
from tests.postgres import PASSWORD
from tests.receivables.fill import fill
from tests.records import MOMENT, client
from tests.warehouse.mart.test_aging import ago, invoice, payment, use
from warehouse.opened.migrate import migrate
from warehouse.schema.functions import texts
from warehouse.schema.grants import (
    ANALYST,
    ANALYST_OF_COLUMNS,
    ANALYST_WITH_PERSONAL_DATA,
    WRITER,
    grant,
    revoke,
)
from warehouse.schema.personal import is_personal
from warehouse.schema.public import MART, PUBLIC

NUMBERS = itertools.count(1)
OWN = ("my_changes", "my_waiting_changes")
"""Views that show a role its own queued changes; there are none before a role may queue any."""


@pytest.fixture
def place(postgres_place):
    return postgres_place


@pytest.fixture
def roles():
    """Names of roles that nobody has; they go with the server."""
    return [f"role_{next(NUMBERS)}" for _ in range(3)]


@pytest.fixture
def logged_in(postgres, warehouse):
    """Log in as a role."""
    opened = []

    def login(role):
        with postgres.admin() as connection:
            connection.execute(f"alter role \"{role}\" login password '{PASSWORD}'")
        database = str(warehouse.place).rpartition("/")[2]
        opened.append(psycopg.connect(postgres.url(database, role), autocommit=True))
        return opened[-1]

    yield login
    for one in opened:
        one.close()


def may(connection, sql):
    try:
        connection.execute(sql)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.ObjectNotInPrerequisiteState,
    ):  # a view of several tables
        return False
    return True


def objects(warehouse):
    """(schema, name, columns) of every table and view."""
    found = {}
    for schema, name, column in warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_schema in ('ninja', 'mart', 'mart_public', 'control') order by ordinal_position"
    ):
        found.setdefault((schema, name), []).append(column)
    return [(schema, name, columns) for (schema, name), columns in found.items()]


def is_for(kind, schema, name, column):
    """Whether a role of a kind is to read a column of a table or view."""
    if name in OWN:
        return kind == WRITER
    if schema == PUBLIC:
        return kind != WRITER
    if schema != MART or kind in {WRITER, ANALYST}:
        return False
    return kind == ANALYST_WITH_PERSONAL_DATA or not is_personal(name, column)


@pytest.mark.parametrize("kind", [ANALYST, ANALYST_OF_COLUMNS, ANALYST_WITH_PERSONAL_DATA, WRITER])
def test_each_role_may_do_exactly_what_it_is_for_with_each_object(warehouse, load_records, roles, logged_in, kind):
    load_records([client("a")])
    grant(warehouse, roles[0], kind, now=MOMENT)
    connection = logged_in(roles[0])
    tried = 0
    for schema, name, columns in objects(warehouse):
        view = name in OWN or schema in {MART, PUBLIC}
        assert may(connection, f'delete from {schema}."{name}"') == (name == "my_waiting_changes")
        assert not may(connection, f'drop {"view" if view else "table"} {schema}."{name}"')
        for column in columns:
            readable = may(connection, f'select "{column}" from {schema}."{name}"')
            assert readable == is_for(kind, schema, name, column), (schema, name, column)
            tried += readable
        whole = all(is_for(kind, schema, name, column) for column in columns)
        assert may(connection, f'select * from {schema}."{name}"') == whole, (schema, name)
    assert (tried > 50) == (kind != WRITER)
    assert not may(connection, "create table mart.mine (n integer)")
    assert not may(connection, "create table mart_public.mine (n integer)")
    assert not may(connection, "insert into control.sources (source) values ('x')")


def test_a_new_role_reads_nothing(warehouse, load_records, roles, logged_in):
    load_records([client("a")])
    warehouse.execute(f'create role "{roles[0]}"')
    connection = logged_in(roles[0])
    for schema, name, _ in objects(warehouse):
        assert not may(connection, f'select 1 from {schema}."{name}"')
    for schema, name in itertools.product((MART, PUBLIC), texts()):
        assert not may(connection, f"select 1 from {schema}.{name}(current_date)")


def test_a_role_of_before_keeps_its_queries_over_the_upgrade_until_it_is_granted_again(
    warehouse, load_records, roles, logged_in
):
    load_records([client("a")])
    grant(warehouse, roles[0], ANALYST_OF_COLUMNS, now=MOMENT)
    for statement in ("drop schema mart_public cascade", "update control.views set digest = 'older'"):
        warehouse.execute(statement)
    migrate(warehouse, now=MOMENT)
    connection = logged_in(roles[0])
    asked = ["select id, balance from mart.clients", "select client_id, owed from mart.aging_as_of(current_date)"]
    assert [may(connection, sql) for sql in asked] == [True, True]
    assert [may(connection, sql.replace("mart.", "mart_public.")) for sql in asked] == [True, True]
    assert not may(connection, "select name from mart.clients")
    grant(warehouse, roles[0], ANALYST, now=MOMENT)
    assert [may(connection, sql) for sql in asked] == [False, False]
    assert [may(connection, sql.replace("mart.", "mart_public.")) for sql in asked] == [True, True]


def test_a_writer_adds_wishes_under_its_own_name_and_changes_none(warehouse, roles, logged_in):
    grant(warehouse, roles[0], WRITER, now=MOMENT)
    connection = logged_in(roles[0])
    wish = "insert into control.outbox (source, id, field, value, reason) values ('main', 'a', 'city', 'Ulm', 'moved')"
    assert may(connection, wish)
    assert not may(connection, wish.replace("reason)", "author)"))
    assert not may(connection, "update control.outbox set value = 'Bern'")
    assert warehouse.rows("select source, id, field, value, reason, author, plan_id from control.outbox") == [
        ("main", "a", "city", "Ulm", "moved", roles[0], None)
    ]


def test_a_writer_sees_its_own_changes_with_what_became_of_them_and_withdraws_those_in_no_plan(
    warehouse, roles, logged_in
):
    for role in roles[:2]:
        grant(warehouse, role, WRITER, now=MOMENT)
    first, second = map(logged_in, roles[:2])
    add = "insert into control.outbox (source, id, field, value) values ('main', 'a', %s, 'x')"
    for field in ("city", "ctiy", "phone"):
        first.execute(add, [field])
    second.execute(add, ["name"])
    warehouse.execute("update control.outbox set plan_id = 'refused: is no field of a client' where field = 'ctiy'")
    warehouse.execute("update control.outbox set plan_id = 'push-1' where field = 'phone'")
    assert first.execute("select field, state, why from control.my_changes order by field").fetchall() == [
        ("city", "waiting", None), ("ctiy", "refused", "is no field of a client"), ("phone", "waiting", None),
    ]  # fmt: skip
    assert second.execute("select field from control.my_changes").fetchall() == [("name",)]
    gone = first.execute("delete from control.my_waiting_changes returning field").fetchall()
    assert sorted(gone) == [("city",), ("ctiy",)]
    assert warehouse.rows("select field from control.outbox order by field") == [("name",), ("phone",)]
    revoke(warehouse, roles[0])
    assert not may(first, "select * from control.my_changes")


def test_what_a_reader_without_personal_data_gets_holds_no_person(warehouse, load_records, roles, logged_in):
    load_records([client("a", name="Canary Ann", vat_number="Canary Vat", contacts=[])])
    grant(warehouse, roles[0], ANALYST, now=MOMENT)
    connection = logged_in(roles[0])
    told = []
    for schema, name, columns in objects(warehouse):
        for column in columns:
            if may(connection, f'select "{column}" from {schema}."{name}"'):
                told += connection.execute(f'select cast("{column}" as varchar) from {schema}."{name}"').fetchall()
    assert ("a",) in told
    assert "Canary" not in str(told)


@pytest.mark.parametrize("kind", [ANALYST, ANALYST_WITH_PERSONAL_DATA, WRITER, None])
def test_readers_may_use_the_functions_of_a_day_and_nobody_else(warehouse, load_records, roles, logged_in, kind):
    load_records([client("a")])
    if kind is None:
        warehouse.execute(f'create role "{roles[0]}"')
    else:
        grant(warehouse, roles[0], kind, now=MOMENT)
    connection = logged_in(roles[0])
    for name in texts():
        assert may(connection, f"select * from mart_public.{name}(current_date)") == (kind not in {WRITER, None})
        assert may(connection, f"select * from mart.{name}(current_date)") == (kind == ANALYST_WITH_PERSONAL_DATA)
    if kind == ANALYST:
        revoke(warehouse, roles[0])
        warehouse.execute(f'grant usage on schema mart_public to "{roles[0]}"')
        assert not any(may(connection, f"select * from mart_public.{name}(current_date)") for name in texts())


@pytest.mark.parametrize("kind", [ANALYST, ANALYST_WITH_PERSONAL_DATA])
def test_a_reader_gets_the_rows_of_the_functions_that_take_a_day_also_after_an_upgrade(
    warehouse, load_records, roles, logged_in, kind
):
    load_records([client("a", name="Canary Ann")])
    fill(warehouse, INVOICES, [invoice("i", balance=30, paid_to_date=70, private_notes="Canary note")])
    fill(warehouse, PAYMENTS, [payment("p", use("u", 70))])
    grant(warehouse, roles[0], kind, now=MOMENT)
    warehouse.execute("update control.views set digest = 'older'")
    migrate(warehouse, now=MOMENT)
    connection = logged_in(roles[0])
    for name, day in itertools.product(texts(), (ago(0), ago(50), ago(60))):
        asked = f"select * from mart_public.{name}(date '{day}')"
        rows = connection.execute(asked).fetchall()
        assert rows == warehouse.rows(asked.replace("mart_public.", "mart."))
        assert rows == warehouse.rows(asked) != []
        assert "Canary" not in str(rows)
    revoke(warehouse, roles[0])
    assert not any(may(connection, f"select * from mart_public.{name}(current_date)") for name in texts())


def test_rights_outlast_an_upgrade_that_makes_the_views_anew(warehouse, load_records, roles, logged_in):
    load_records([client("a")])
    grant(warehouse, roles[0], ANALYST, now=MOMENT)
    warehouse.execute("update control.views set digest = 'older'")
    migrate(warehouse, now=MOMENT)
    assert may(logged_in(roles[0]), "select * from mart_public.clients")


def test_a_role_that_gets_other_rights_or_none_loses_what_it_had(warehouse, roles, logged_in):
    grant(warehouse, roles[0], ANALYST_WITH_PERSONAL_DATA, now=MOMENT)
    connection = logged_in(roles[0])
    grant(warehouse, roles[0], WRITER, now=MOMENT)
    assert not any(may(connection, f"select id from {schema}.clients") for schema in (MART, PUBLIC))
    revoke(warehouse, roles[0])
    assert not may(connection, "insert into control.outbox (source, id, field) values ('main', 'a', 'city')")
    with pytest.raises(SettingsError, match="no rights here"):
        revoke(warehouse, roles[0])


def test_the_loader_needs_no_superuser(postgres, roles, load_records, warehouse):
    from warehouse.engine.place import PostgresUrl  # noqa: PLC0415
    from warehouse.opened.open import open_place  # noqa: PLC0415

    with postgres.admin() as connection:
        connection.execute(f"create role \"{roles[1]}\" login password '{PASSWORD}'")
        connection.execute(f'create database loaded_by_{postgres.port} owner "{roles[1]}"')
    place = PostgresUrl.of(postgres.url(f"loaded_by_{postgres.port}", roles[1]))
    with open_place(place) as opened:
        migrate(opened, now=MOMENT)
        assert opened.rows("select count(*) from mart.clients") == [(0,)]
        with pytest.raises(SettingsError, match=f"create role {roles[2]}"):
            grant(opened, roles[2], ANALYST, now=MOMENT)
    postgres.drop_database(f"loaded_by_{postgres.port}")


@pytest.mark.parametrize("name", ["public", "pg_monitor", 'x"; drop role y', "", "ä"])
def test_names_that_are_no_roles_are_refused(warehouse, name):
    with pytest.raises(SettingsError, match="cannot name a role"):
        grant(warehouse, name, ANALYST, now=MOMENT)
