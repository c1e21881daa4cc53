"""What is Postgres' alone: lost connections, the outcome of a lost COMMIT, what an error may say, who may be read."""

from __future__ import annotations

import pytest

from schemas.errors import Busy, ConnectionLost, SettingsError, WarehouseError
from tests.cut_wire import AFTER, BEFORE, COMMIT, wired
from tests.records import MOMENT, client
from warehouse.engine.place import PostgresUrl
from warehouse.engine.postgres import open_postgres
from warehouse.engine.postgres_session import SETTINGS
from warehouse.load import load as load_module
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place


@pytest.fixture
def place(postgres_place):
    return postgres_place


def write(warehouse, run_id="r"):
    """A transaction that writes a run, as a load does."""
    with warehouse.transaction(run_id=run_id):
        warehouse.execute("insert into control.published (run_id, changed_runs, published_at) values ('x', 1, now())")
        warehouse.execute(
            "insert into control.runs (run_id, source, kind, began_at, finished_at, seconds, requests, received, "
            "inserted, updated, touched, unchanged, quarantined, quarantine_open, changed, notes) values "
            "($run_id, 'main', 'pull', now(), now(), 1, 1, 1, 1, 1, 1, 1, 1, 1, true, '[]')", {"run_id": run_id},
        )  # fmt: skip


def write_and_end(warehouse, end):
    with warehouse.transaction():
        warehouse.execute("insert into control.published (changed_runs, published_at) values (1, now())")
        end()
        warehouse.execute("select 1")


def written(place):
    with open_place(place) as warehouse:
        return [warehouse.rows(f"select count(*) from control.{t}")[0][0] for t in ("runs", "published")]


def test_a_connection_that_is_ended_in_a_transaction_is_lost_and_nothing_is_stored(place):
    with open_place(place) as warehouse, open_place(place) as other:
        ((session,),) = warehouse.rows("select pg_backend_pid()")
        with pytest.raises(ConnectionLost):
            write_and_end(warehouse, lambda: other.execute(f"select pg_terminate_backend({session})"))
    assert written(place) == [0, 0]


def test_a_commit_that_arrived_and_whose_answer_was_lost_is_found_to_be_stored(place):
    with wired(place, word=COMMIT, how=AFTER) as (far, wire), open_place(far) as warehouse:
        write(warehouse)
        assert wire.cuts == 1
        assert warehouse.rows("select run_id from control.runs") == [("r",)]
    assert written(place) == [1, 1]


def test_a_commit_that_never_arrived_is_found_not_to_be_stored(place):
    with wired(place, word=COMMIT, how=BEFORE) as (far, wire), open_place(far) as warehouse:
        with pytest.raises(ConnectionLost):
            write(warehouse)
        assert wire.cuts == 1
        write(warehouse, "again")
    assert written(place) == [1, 1]


def test_a_commit_of_no_run_is_looked_up_by_its_transaction(place):
    with wired(place, word=COMMIT, how=AFTER) as (far, _), open_place(far) as warehouse, warehouse.transaction():
        warehouse.execute("insert into control.published (changed_runs, published_at) values (1, now())")
    assert written(place) == [0, 1]


def test_where_nobody_can_be_asked_the_outcome_is_said_to_be_unknown(place):
    with wired(place, word=COMMIT, how=AFTER, dead=True) as (far, _):
        with (
            open_postgres(far, wait=0) as warehouse,
            pytest.raises(WarehouseError, match="do not know yet whether the run is stored") as caught,
        ):
            write(warehouse)
        assert not isinstance(caught.value, ConnectionLost)
    assert written(place) == [1, 1]


@pytest.mark.parametrize(
    "provoke",
    [
        "insert into control.mirror values ('ann@example.com', 'x')",
        "insert into control.sources values ('ann@example.com', 'b', 'c', 'd', null, null, null, null)",
        "select cast('ann@example.com' as integer)",
    ],
)
def test_no_error_shows_the_values_of_rows(place, provoke):
    with open_place(place) as warehouse, pytest.raises(WarehouseError) as caught:
        warehouse.execute(provoke + " -- the promise", {"nothing": 1})
    # what is told is the statement's beginning, which is our own text; the server's words are left out
    assert "DETAIL" not in str(caught.value)
    assert "invalid input" not in str(caught.value)
    assert "Failing row" not in str(caught.value)


def test_an_error_names_what_is_missing_and_what_makes_it(database):
    with open_place(database, read_only=True) as warehouse, pytest.raises(WarehouseError, match="ninja-sync pull"):
        warehouse.rows("select * from mart.clients")


def test_neither_a_place_nor_an_error_shows_the_password(place):
    told = f"{place} {place!r}"
    assert "only%20for%20tests" not in told
    wrong = PostgresUrl.of(place.url.replace("only%20for%20tests", "canary-7731"))
    with pytest.raises(WarehouseError) as caught:
        open_place(wrong, wait=0)
    assert "canary-7731" not in str(caught.value)
    assert "password authentication failed" in str(caught.value)


@pytest.mark.parametrize("query", ["delete from control.runs", "create table public.mine (n integer)"])
def test_what_is_opened_to_be_read_cannot_be_written(place, query):
    with open_place(place, read_only=True) as warehouse, pytest.raises(SettingsError, match="read-only"):
        warehouse.ask(query)


def test_a_query_is_one_statement(place):
    with open_place(place, read_only=True) as warehouse:
        with pytest.raises(SettingsError, match="multiple commands"):
            warehouse.ask("select 1; set default_transaction_read_only = off; delete from control.mirror")
        assert warehouse.ask("select 1 as n, 'x' as t") == (["n", "t"], [(1, "x")])
        with pytest.raises(SettingsError, match="nothing_like_this"):
            warehouse.ask("select * from nothing_like_this")
        assert warehouse.ask("select count(*) > 0 from control.mirror")[1] == [(True,)]


def test_a_database_that_does_not_store_utf_8_is_refused(postgres):
    with postgres.admin() as connection:
        connection.execute("create database latin template template0 encoding 'LATIN1' locale 'C'")
    with pytest.raises(WarehouseError, match="UTF-8"):
        open_place(postgres.place("latin"))
    postgres.drop_database("latin")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ann:secret@db.example/books", "postgresql://ann@db.example/books"),
        ("postgresql+psycopg://db.example:5433/books", "postgresql://db.example:5433/books"),
        ("postgresql:///books?host=/run/postgresql&password=secret", "postgresql:///books?host=/run/postgresql"),
    ],
)
def test_urls_are_taken_in_the_usual_forms_and_shown_without_secrets(text, shown):
    assert str(PostgresUrl.of(text)) == shown


@pytest.mark.parametrize("text", ["mysql://db/books", "postgresql://host:port/books"])
def test_other_urls_are_refused_with_an_example(text):
    with pytest.raises(SettingsError, match="postgresql://user@host"):
        PostgresUrl.of(text)


def test_two_that_make_a_warehouse_at_once_make_it_once(database, monkeypatch):
    monkeypatch.setitem(SETTINGS, "lock_timeout", "100ms")
    with open_place(database) as one, open_place(database) as other:
        with other.transaction():
            other.hold("the schemas")
            with pytest.raises(Busy):
                migrate(one, now=MOMENT)
        migrate(other, now=MOMENT)
        migrate(one, now=MOMENT)
        numbers = [n for (n,) in one.rows("select number from control.migrations order by number")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_view_of_ours_on_which_somebody_built_is_named_where_it_cannot_be_made_anew(place):
    with open_place(place) as warehouse:
        warehouse.execute("create view public.theirs as select id from mart.contacts")
        warehouse.execute("update control.views set digest = 'older' where name = 'contacts'")
        with pytest.raises(WarehouseError, match="theirs"):
            migrate(warehouse, now=MOMENT)
        assert warehouse.rows("select * from public.theirs") == []


def test_after_a_large_load_postgres_counts_clients_without_reading_them(warehouse, load_records, monkeypatch):
    monkeypatch.setattr(load_module, "MANY", 1)
    load_records([client("a"), client("b")])
    pages = "select relpages > 0 and relallvisible = relpages from pg_class where oid = 'ninja.clients'::regclass"
    assert warehouse.rows(pages) == [(True,)]


def test_a_large_load_is_stored_although_postgres_may_not_vacuum(warehouse, load_records, monkeypatch):
    monkeypatch.setattr(load_module, "MANY", 1)
    execute = type(warehouse).execute

    def refused(self, sql, params=None):
        execute(self, "select 1 / 0" if sql.startswith("vacuum") else sql, params)

    monkeypatch.setattr(type(warehouse), "execute", refused)
    assert load_records([client("a"), client("b")]).run.inserted == 2
    assert warehouse.rows("select id from ninja.clients order by id") == [("a",), ("b",)]
