"""Both engines run every named statement, on a warehouse of this version that holds one client.

Parameters get a value by their name, `{placeholders}` the names of a real table, and a temporary table is made as the
code makes it before a statement that reads it. Everything is rolled back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa
import pytest

from schemas.arrow_types import staged_schema
from schemas.clocks import Clocks
from schemas.entities import ACTIVITIES, CLIENTS, CONTACTS, LOOKUPS
from schemas.normalise import normalise
from tests.records import MOMENT, client
from tests.warehouse.conftest import BINDING, KEY
from warehouse.control.state import Run
from warehouse.engine.place import Place
from warehouse.engine.seam import POSTGRES, Warehouse, rows_of, scratch
from warehouse.engine.sql import ROOT, statement, statements_of
from warehouse.load.arrived import DIGEST, LINE
from warehouse.load.arrow_files import staged_batch, staged_children
from warehouse.load.load import Scanned, load
from warehouse.load.staging import Staging
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place
from warehouse.schema.archive import archive_of, stamp_of
from warehouse.schema.mirror import VERSION_COLUMNS, arriving, columns
from warehouse.schema.tables import definition, mirror

SUBJECTS_OF_POSTGRES = ("grants", "turns")
"""Roles, and turns at a host between machines: DuckDB has neither."""
SUBJECTS = sorted(path.stem for path in ROOT.glob("*.sql"))
NAMED = [f"{subject}/{name}" for subject in SUBJECTS for name in statements_of(subject)]
POSTGRES_ONLY = [name for name in NAMED if name.startswith(SUBJECTS_OF_POSTGRES)]
BOTH = [name for name in NAMED if name not in POSTGRES_ONLY]

ID = "1"
ROW = normalise(CLIENTS, [client(ID)]).rows
MD5 = hashlib.md5(ROW[0].record.encode()).hexdigest()  # noqa: S324 - as both engines spell it
TIMES = r"since|.*_at|now|at|began|local_began|before|moment|newest"
WHOLE = r"n|number|place|most|top|first|last|total|unexplained|removed|resumed_at|rest|interval|longest|seconds"
WHOLE += r"|least|searches|decisions|skip|exit_code|first_single|top_single"
FLAGS = r"full|held|blind|deleted|listed|with_inserted|kept_balances|usable|with_money"
LISTS = r"ids|places|fields|befores|afters|outcomes|messages|reasons|against|keys|known|clusters|changes|wish_ids"
LISTS += r"|told|sources|groups|survivors|mergeables|ids_a|ids_b|probabilities|by_puts|conflicts|names"

ARRIVAL = pa.schema([("id", pa.string()), ("why", pa.string())])
VANISHED = pa.schema([(name, pa.string()) for name in ("id", "kind", "into_id", "evidence")])
CHANGES = pa.schema(
    [(name, pa.string()) for name in ("id", "label", "field", "before", "after")]
    + [("changed_at", pa.timestamp("us", tz="UTC"))]
)


def brief(batch: pa.RecordBatch, field: pa.Field, content: object) -> pa.RecordBatch:
    """A staged batch with one more column, as the load stages it to compare."""
    return batch.append_column(field, pa.repeat(pa.scalar(content, field.type), batch.num_rows))


STAGED = {
    "stage_clients": lambda: staged_batch(CLIENTS, ROW, first_arrival=0),
    "stage_contacts": lambda: staged_children(CLIENTS, ROW, 0, first_arrival=0),
    "stage_activities": lambda: staged_batch(ACTIVITIES, [], first_arrival=0),
    f"stage_{LOOKUPS[0].name}": lambda: staged_batch(LOOKUPS[0], [], first_arrival=0),
    "arrived_clients": lambda: brief(staged_batch(CLIENTS, ROW, first_arrival=0), DIGEST, MD5),
    "arrived_contacts": lambda: brief(staged_children(CLIENTS, ROW, 0, first_arrival=0), LINE, 0),
    "narrow_clients": lambda: staged_batch(CLIENTS, ROW, first_arrival=0),
    "narrow_contacts": lambda: staged_children(CLIENTS, ROW, 0, first_arrival=0),
    "narrow": lambda: staged_batch(CLIENTS, ROW, first_arrival=0),
    "met": lambda: pa.RecordBatch.from_pylist([{"id": ID}], ARRIVAL),
    "asked": lambda: pa.RecordBatch.from_pylist([{"id": ID}], ARRIVAL),
    "written_again": lambda: pa.RecordBatch.from_pylist([{"id": ID}]),
    "stage_unlisted": lambda: pa.RecordBatch.from_pylist([{"id": ID, "why": "held"}], ARRIVAL),
    "stage_vanished": lambda: pa.RecordBatch.from_pylist([{"id": ID, "kind": "purged"}], VANISHED),
    "stage_changes": lambda: pa.RecordBatch.from_pylist(
        [dict.fromkeys(CHANGES.names, ID) | {"changed_at": MOMENT}], CHANGES
    ),
}
"""Temporary tables that the code stages from Arrow."""
MADE = {
    "newest": "load/newest",
    "accepted": "load/accepted",
    "opened": "load/open_versions",
    "piece": "load/piece",
    "ended": "load/changed_versions",
    "unlisted_now": "load/keep_unlisted",
    "seen_clients": "vanished/newest_clients",
    "seen_contacts": "vanished/newest_contacts",
    "growth": "vanished/growth",
    "kept": "rebuild/keep_records",
    "places_contacts": "rebuild/keep_places",
}
"""Temporary tables that another statement makes."""
EMPTY = {"found_contacts": "ninja.contacts", "rebuilt": "ninja.clients"}
"""Temporary tables that the code makes like a table of the mirror."""
OF_VANISHED = ("load/correct_redirects", "load/insert_redirects")
"""Statements that read `ended` as `load/vanished_versions` makes it."""


@contextmanager
def with_one_client(place: Place) -> Iterator[Warehouse]:
    """An open warehouse with one client."""
    with open_place(place) as warehouse:
        migrate(warehouse, now=MOMENT)
        staging = Staging.of(place, "main")
        staging.begin(KEY, Clocks(1, None))
        staging.add(CLIENTS, normalise(CLIENTS, [client(ID)]), open=[(None, None)], newest_seen=0)
        begun = Run("run", "main", "pull", MOMENT, MOMENT + timedelta(seconds=1), 1.0, 3, received=1)
        load(warehouse, staging, Scanned(CLIENTS, BINDING, MOMENT, MOMENT, 0, 1), begun, None)
        yield warehouse


@pytest.fixture(scope="module")
def loaded(engine, tmp_path_factory):
    """A warehouse with one client, for the whole file, on each engine."""
    place = engine.new(tmp_path_factory.mktemp("sql"))
    with with_one_client(place) as warehouse:
        yield warehouse
    engine.drop(place)


@pytest.fixture(scope="module")
def loaded_postgres(postgres):
    """A Postgres database with one client, for the whole file."""
    name = postgres.make_database()
    with with_one_client(postgres.place(name)) as warehouse:
        yield warehouse
    postgres.drop_database(name)


def value(name: str) -> object:
    """A value for a parameter: what its name says, else a text that is an id, a number and JSON as well."""
    if name in {"probabilities", "places"}:
        return [1]
    if name == "by_puts":
        return [True]
    for pattern, given in ((WHOLE, 1), (TIMES, MOMENT), (FLAGS, True), (LISTS, [ID])):
        if re.fullmatch(pattern, name):
            return given
    own = {
        "source": "main",
        "clients": "{}",
        "balance": 1,
        "begin": 0,
        "beyond": 2**62,
        "day": MOMENT.date(),
        "days": [MOMENT.date()],
        "codes": [ID],
        "rates": [1],
    }
    return own.get(name, ID)


def values(name: str) -> dict[str, object]:
    """The parameters of a statement."""
    given = {key: value(key) for key in re.findall(r"\$([a-z_]+)", sql(name, POSTGRES))}
    return given | {"mark": MOMENT} if name == "load/move_watermark" else given


def sql(name: str, engine: str) -> str:
    """A statement without its comments, its placeholders filled."""
    bare = re.sub(r"--[^\n]*", "", statement(name))
    return bare.format(**names(name, engine)) if re.search(r"\{\w+\}", bare) else bare


def names(name: str, engine: str) -> dict[str, str]:
    """The names of tables and columns for the placeholders of a statement."""
    entity = {"load/insert_reference": LOOKUPS[0], "load/replace_reference": LOOKUPS[0]}.get(name, CLIENTS)
    entity = ACTIVITIES if name == "load/replace_activities" else entity
    table, parent = (CONTACTS, CLIENTS) if "child" in name else (entity, None)
    ours = {"source": "$source", "run_id": "$run_id"} | {column: f"o.{column}" for column in VERSION_COLUMNS}
    if name == "rebuild/put_back":
        ours = {column: f"kept.{column}" for column in ours}
    if name.startswith("aging/"):
        figures = {"figures": "mart.aging", "items": "mart.open_items", "mart": "mart", "names": "number"}
        return figures | {"columns": "owed, overpaid", "sums": "sum(owed) as owed, sum(overpaid) as overpaid"}
    if name == "duplicate_groups/page":
        return {"groups": statement("duplicate_groups/every")}
    if name.startswith("today/"):
        clients = "(select *, status = 'deleted' as is_deleted from mart.clients)"
        return {"mart": "mart", "name": "n.display_name as name", "clients": clients, "versions": "mart.client_history"}
    if name.startswith("clients/"):
        chosen = re.sub(r"--[^\n]*", "", statement("clients/mirrored")).format(problem="true")
        return {"problem": "true", "chosen": chosen, "order": "x.id"}
    return archive_of(entity) | {
        "stamp": stamp_of(CONTACTS),
        "counted": "true",
        "left_out": "(select 1)",
        "child": CONTACTS.name,
        "parent": CLIENTS.parent_column,
        "columns": ", ".join(columns(CONTACTS, CLIENTS) if name == "rebuild/choose_places" else columns(table, parent)),
        "selected": ", ".join(ours.get(column, staged) for column, staged in arriving(table, parent).items()),
        "kept": ", ".join(("source", "run_id", *VERSION_COLUMNS)),
        "loaded": "accepted",
        "digest": "md5(cast(m.record as varchar))",
        "rows_of_newest": rows_of(engine, f"ninja.{entity.name}", "newest"),
        "rows_of_ended": rows_of(engine, f"ninja.{entity.name}", "ended"),
        "into": "rebuilt",
        "clients": "seen_clients",
        "contacts": "seen_contacts",
        "growth": "growth",
        "balances": "mart.client_balances",
        "outbox": "control.outbox",
        "queued": statement("read/changes").format(outbox="control.outbox"),
        "grouped": statement("shown_plans/queue_grouped"),
    }


def prepare(warehouse, name: str, there: set[str]) -> None:
    """Make the temporary tables that a statement reads, and first those that their making reads."""
    text = sql(name, warehouse.engine)
    ctes = set(re.findall(r"(\w+)(?: \([^)]*\))? as \(", text))
    for table in re.findall(r"(?:from|join|update|into) (\w+)", text):
        if table in there | ctes:
            continue
        there.add(table)
        if table in STAGED:
            batch = STAGED[table]()
            warehouse.stage(table, batch.schema, iter([batch]))
        elif table in EMPTY:
            warehouse.execute(f"create temp table {table} {definition(mirror().tables[EMPTY[table]])}")
        elif table in MADE:
            maker = "load/vanished_versions" if table == "ended" and name in OF_VANISHED else MADE[table]
            prepare(warehouse, maker, there)
            warehouse.execute(sql(maker, warehouse.engine), values(maker))


def run(warehouse: Warehouse, name: str) -> None:
    """Run one statement to its last row, and roll it back."""
    with scratch(warehouse):
        prepare(warehouse, name, set())
        text = sql(name, warehouse.engine)
        if re.match(r"\s*(select|with)\b", text) or re.search(r"\sreturning\s", text):
            warehouse.rows(text, values(name))
        else:
            warehouse.execute(text, values(name))


@pytest.mark.parametrize("name", BOTH)
def test_both_engines_run_each_statement(loaded, name):
    run(loaded, name)


@pytest.mark.parametrize("name", POSTGRES_ONLY)
def test_postgres_runs_the_statements_that_it_alone_is_asked(loaded_postgres, name):
    run(loaded_postgres, name)


def test_the_client_is_there_for_the_statements_to_meet(loaded):
    assert loaded.rows("select id from ninja.clients") == [(ID,)]
    assert loaded.rows("select client_id from ninja.contacts") == [(ID,)]


def test_a_staged_client_has_the_columns_of_the_load():
    assert STAGED["stage_clients"]().schema == staged_schema(CLIENTS, None)
    assert STAGED["stage_contacts"]().schema == staged_schema(CONTACTS, CLIENTS)
