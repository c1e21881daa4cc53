"""What must be true of a warehouse whenever a process was killed: the old state or the new one, never a mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow.parquet

from warehouse.engine.place import Place, PostgresUrl, exports_of, is_there, staging_of
from warehouse.engine.seam import Warehouse
from warehouse.opened.open import open_place
from warehouse.schema.mirror import mirrored

State = Mapping[str, tuple[object, ...]]
"""The clients by id, each with its contacts."""

MIRROR = """
    select id, name, city, balance, paid_to_date, is_deleted, cast(extract(epoch from archived_at) as bigint),
        cast(extract(epoch from updated_at) as bigint)
    from ninja.clients where source = $source
"""
CONTACTS = "select client_id, id, first_name, email from ninja.contacts where source = $source order by id"


@dataclass(frozen=True)
class Found:
    """What is in a warehouse: its clients, and the ids of its runs that were no heartbeats."""

    clients: State
    runs: frozenset[str]


def truth(clients: Mapping[str, Mapping]) -> State:
    """The clients as the server tells them, in the form of `State`."""
    return {
        key: (
            c["name"] or None, c["city"] or None, Decimal(c["balance"]), Decimal(c["paid_to_date"]), c["is_deleted"],
            c["archived_at"] or None, c["updated_at"],
            tuple(sorted((k["id"], k["first_name"] or None, k["email"].strip() or None) for k in c["contacts"])),
        )
        for key, c in clients.items()
    }  # fmt: skip


def found_in(path: Place, source: str = "main") -> Found:
    """Open the warehouse and check that it agrees with itself; what is in it."""
    if not is_there(path):
        return Found({}, frozenset())
    with open_place(path, wait=5) as warehouse:
        if not warehouse.rows("select 1 from information_schema.schemata where schema_name = 'ninja'"):
            return Found({}, frozenset())  # died before its first migration was committed: the old state
        _ids_are_single(warehouse)
        _rows_and_runs_agree(warehouse, source)
        _versions_follow_each_other(warehouse)
        runs = warehouse.rows("select run_id from control.runs where source = $source and kind <> 'idle'", locals())
        return Found(mirror(warehouse, source), frozenset(str(run) for (run,) in runs))


def _versions_follow_each_other(warehouse: Warehouse) -> None:
    """Each mirrored client has one version that holds, and no two hold at one moment."""
    wrong = warehouse.rows(
        "select id from (select source, id, valid_to, is_current, "
        "lead(valid_from) over (partition by source, id order by valid_from, is_current, valid_to) as next "
        "from mart.client_history) as versions where next < valid_to or (is_current and next is not null)"
    )
    assert not wrong, f"versions of {len(wrong)} clients overlap"


def mirror(warehouse: Warehouse, source: str) -> State:
    """The mirrored clients of a source."""
    contacts: dict[object, list[object]] = {}
    for client, *contact in warehouse.rows(CONTACTS, {"source": source}):
        contacts.setdefault(client, []).append(tuple(contact))
    return {
        str(key): (*values, tuple(contacts.get(key, ()))) for key, *values in warehouse.rows(MIRROR, {"source": source})
    }


def _ids_are_single(warehouse: Warehouse) -> None:
    for entity, _ in mirrored():
        key = "id" if "id" in staged_names(entity) else "source"
        doubled = warehouse.rows(f"select {key} from ninja.{entity.name} group by source, {key} having count(*) > 1")
        assert not doubled, f"{entity.name}: {len(doubled)} ids stand more than once"


def staged_names(entity) -> Sequence[str]:
    return [field.name for field in entity.fields]


def _rows_and_runs_agree(warehouse: Warehouse, source: str) -> None:
    """Every run that any row names is in the ledger, and the watermark is the last run's."""
    named = warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns where column_name like '%run_id' "
        "and table_schema in ('ninja', 'control') and table_name <> 'runs'"
    )
    assert len(named) > 5
    for schema, table, column in named:
        lost = warehouse.rows(
            f"select distinct {column} from {schema}.{table} where {column} not in (select run_id from control.runs)"
        )
        assert not lost, f"{schema}.{table} holds rows of runs that are not in the ledger: {lost}"
    runs = warehouse.rows(
        "select entity, run_id from control.runs where source = $source and kind <> 'idle' "
        "order by finished_at, run_id",
        {"source": source},
    )
    marked = warehouse.rows("select entity, run_id from control.watermarks where source = $source", {"source": source})
    assert dict(marked) == dict(runs), "a watermark is not that of its entity's last run"


def published(path: Place, source: str = "main") -> list[State]:
    """What each published copy shows, reduced to ids, names and balances. Fails where one cannot be read whole."""
    if isinstance(path, PostgresUrl):
        return []
    folder, shown = exports_of(path), []
    for file in sorted(folder.iterdir()) if folder.exists() else []:
        if file.suffix == ".parquet":
            rows = pyarrow.parquet.read_table(file).to_pylist()
            if file.name == "clients.parquet":
                shown.append({r["id"]: (r["name"], r["balance"]) for r in rows if r["source"] == source})
        elif file.suffix == ".duckdb":
            with duckdb.connect(str(file), read_only=True) as copy:
                rows = copy.execute("select id, name, balance from mart.clients where source = $s", {"s": source})
                shown.append({key: rest for key, *rest in map(list, rows.fetchall())})
                shown[-1] = {key: tuple(rest) for key, rest in shown[-1].items()}
        else:
            assert file.suffix == ".part", f"{file.name} is neither a copy nor half of one"
    return shown


def as_published(state: State) -> State:
    """A state as `published` tells it."""
    return {key: (values[0], values[2]) for key, values in state.items()}


def leftovers(path: Place) -> list[str]:
    """What a run that has ended in order would not have left: logs, staged pages, halves of copies, spilled rows."""
    if isinstance(path, PostgresUrl):
        return [file.name for file in staging_of(path).rglob("*") if file.is_file()]
    files = [file for file in path.parent.rglob("*") if file.is_file() and file.name.startswith(path.name)]
    files += [file for file in exports_of(path).rglob("*") if file.suffix not in (".parquet", ".duckdb")]
    files += [file for file in path.with_name(path.name + ".staging").rglob("*") if file.is_file()]
    return [file.name for file in files if file != path and file.suffix != ".lock"]
