"""Back up a warehouse into one file. Either engine can write it, and either can restore it.

The file is a ZIP archive: `manifest.json`, and each table of `control` and `ninja` as a stream of Arrow batches
(`control.plans.arrow`). Views and published copies are left out, because a restored warehouse creates them again.
The file holds personal data. It holds no token and no password, as the warehouse has none.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.private import written_aside
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import quoted, statement
from warehouse.opened.migrate import check_known, create_schemas
from warehouse.schema.mirror import MIRROR_FINGERPRINT, MIRROR_VERSION
from warehouse.schema.public import SCHEMAS

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MADE_AGAIN: Final = (
    "control.migrations",
    "control.views",
    "control.label_views",
    "control.published",
    "control.host_turns",
    "control.duplicate_forms",
    "control.duplicate_scores",
    "control.duplicate_basis",
)
"""Tables that a restored warehouse fills on its own."""
TABLE: Final = re.compile(r"(control|ninja)\.[a-z_][a-z0-9_]*")
COLUMN: Final = re.compile(r"[a-z_][a-z0-9_]*")
AS_TEXT: Final = ("json", "uuid")
"""Types that a backup stores as text: Arrow has no type that both engines read as these."""


class Table(msgspec.Struct, frozen=True):
    """One table of a backup: its number of rows, and the columns stored as text with their types."""

    rows: int
    as_text: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """The description of a backup: `migrations` by name and digest, `mirror` by version and fingerprint."""

    format: int
    made_at: datetime
    engine: str
    migrations: list[tuple[str, str]]
    mirror: tuple[int, str]
    sources: list[str]
    tables: dict[str, Table]


def write_backup(warehouse: Warehouse, file: Path, *, now: datetime) -> Manifest:
    """Write an open warehouse, as of one moment, into a file (0600), completely or not at all.

    Raises SettingsError if the file exists and is not a backup, and OSError.
    """
    if file.exists() and not (file.is_file() and zipfile.is_zipfile(file) and _is_backup(file)):
        raise SettingsError(f"{file} exists and is not a backup of Ninja Sync: name another file.")
    with written_aside(file.resolve()) as beside, zipfile.ZipFile(beside, "x") as archive, warehouse.transaction():
        if warehouse.engine == POSTGRES:
            warehouse.execute("set transaction isolation level repeatable read")
        tables = {name: _write_table(warehouse, archive, name) for name in _tables(warehouse)}
        made = Manifest(
            FORMAT, now, warehouse.engine, _migrations(warehouse), _mirror(warehouse),
            [str(name) for (name,) in warehouse.rows("select source from control.sources order by source")], tables,
        )  # fmt: skip
        archive.writestr(MANIFEST, msgspec.json.encode(made))
    return made


def _is_backup(file: Path) -> bool:
    with zipfile.ZipFile(file) as archive:
        return MANIFEST in archive.namelist()


def _tables(warehouse: Warehouse) -> list[str]:
    tables = warehouse.rows(
        "select table_schema, table_name from information_schema.tables "
        "where table_schema in ('control', 'ninja') and table_type = 'BASE TABLE' order by table_schema, table_name"
    )
    if ("control", "migrations") not in tables:
        raise WarehouseError(f"{warehouse.shown} holds nothing yet: `ninja-sync pull` fills it.")
    return [name for schema, table in tables if (name := f"{schema}.{table}") not in MADE_AGAIN]


def _types(warehouse: Warehouse, name: str) -> dict[str, str]:
    """Return the columns of a table with their types, in order."""
    schema, _, table = name.partition(".")
    rows = warehouse.rows(
        "select column_name, data_type from information_schema.columns "
        "where table_schema = $schema and table_name = $table order by ordinal_position",
        {"schema": schema, "table": table},
    )
    return {str(column): str(kind).lower() for column, kind in rows}


def _write_table(warehouse: Warehouse, archive: zipfile.ZipFile, name: str) -> Table:
    types = _types(warehouse, name)
    listed = ", ".join(
        f'cast("{column}" as varchar) as "{column}"' if kind in AS_TEXT else f'"{column}"'
        for column, kind in types.items()
    )
    schema = warehouse.table(f"select {listed} from {name} limit 0").schema
    options, rows = pa.ipc.IpcWriteOptions(compression="zstd"), 0
    with (
        archive.open(f"{name}.arrow", "w", force_zip64=True) as sink,
        pa.ipc.new_stream(sink, schema, options=options) as writer,
    ):
        for batch in warehouse.streamed(f"select {listed} from {name}"):
            writer.write_batch(batch.cast(schema))
            rows += batch.num_rows
    return Table(rows, {column: kind for column, kind in types.items() if kind in AS_TEXT})


def _migrations(warehouse: Warehouse) -> list[tuple[str, str]]:
    rows = warehouse.rows("select name, digest from control.migrations order by number")
    return [(str(name), str(digest)) for name, digest in rows]


def _mirror(warehouse: Warehouse) -> tuple[int, str]:
    ((version, columns),) = warehouse.rows("select version, fingerprint from control.mirror")
    return int(str(version)), str(columns)


@contextmanager
def opened_backup(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open a backup, after checking that it is complete and of a known version.

    Raises SettingsError if it is not a backup, is damaged, or is of a newer version.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            made = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
            damaged = archive.testzip()
            if damaged is not None or {f"{name}.arrow" for name in made.tables} - set(archive.namelist()):
                raise SettingsError(
                    f"The backup {file} is damaged: {damaged or 'a table is missing'}. Use another one."
                )
            if made.format > FORMAT or made.mirror[0] > MIRROR_VERSION:
                raise SettingsError(f"The backup {file} was made by a newer version of Ninja Sync: upgrade first.")
            check_known(made.migrations, f"The backup {file}")
            _check_names(made, file)
            yield archive, made
    except FileNotFoundError:
        raise SettingsError(f"There is no file {file}.") from None
    except (zipfile.BadZipFile, KeyError, msgspec.MsgspecError, EOFError, IsADirectoryError):
        raise SettingsError(f"{file} is not a backup of Ninja Sync, or is damaged: name another file.") from None


def _check_names(made: Manifest, file: Path) -> None:
    """Check the names of tables and types, which become part of statements. Raises SettingsError."""
    kinds = {kind for table in made.tables.values() for kind in table.as_text.values()}
    if not all(map(TABLE.fullmatch, made.tables)) or not kinds <= set(AS_TEXT):
        raise SettingsError(f"{file} is not a backup of Ninja Sync: its table names are not valid.")


def fill(warehouse: Warehouse, archive: zipfile.ZipFile, made: Manifest, *, now: datetime) -> None:
    """Fill an empty warehouse. It then has the version of the backup; `migrate` brings it to this version.

    Call it in a transaction. Raises SettingsError if the warehouse has tables already.
    """
    warehouse.hold("the schemas")
    held = f"select count(*) from information_schema.tables where table_schema in ({', '.join(map(quoted, SCHEMAS))})"
    if warehouse.rows(held) != [(0,)]:
        raise SettingsError(f"{warehouse.shown} is not empty: restore a backup into a new warehouse.")
    create_schemas(warehouse)
    warehouse.execute(statement("load/migrations"))
    for number, (name, digest) in enumerate(made.migrations, start=1):
        warehouse.execute(statement(f"control/{name}"))
        values = {"number": number, "name": name, "digest": digest, "now": now}
        warehouse.execute("insert into control.migrations values ($number, $name, $digest, $now)", values)
    if tuple(made.mirror) == (MIRROR_VERSION, MIRROR_FINGERPRINT):
        from warehouse.schema.tables import create_mirror  # noqa: PLC0415 - SQLAlchemy, for new tables only

        create_mirror(warehouse)
    for name, table in made.tables.items():
        _read_table(warehouse, archive, name, table)


def _read_table(warehouse: Warehouse, archive: zipfile.ZipFile, name: str, table: Table) -> None:
    """Restore the rows of a table. A table of an older mirror gets its old columns; `migrate` changes them."""
    with archive.open(f"{name}.arrow") as source, pa.ipc.open_stream(source) as batches:
        columns = batches.schema.names
        if not all(map(COLUMN.fullmatch, columns)):
            raise SettingsError("The backup is damaged: its column names are not valid. Nothing was restored.")
        warehouse.stage("stage_restored", batches.schema, batches)
    types = _types(warehouse, name)
    kinds = {column: types.get(column, table.as_text.get(column, "")) for column in columns}
    selected = ", ".join(
        f'cast("{column}" as {kinds[column]}) as "{column}"' if kinds[column] in AS_TEXT else f'"{column}"'
        for column in columns
    )
    if types:
        listed = ", ".join(f'"{column}"' for column in columns)
        warehouse.execute(f"delete from {name}")  # its migration has created a salt
        warehouse.execute(f"insert into {name} ({listed}) select {selected} from stage_restored")
    else:
        warehouse.execute(f"create table {name} as select {selected} from stage_restored")
    ((count,),) = warehouse.rows(f"select count(*) from {name}")
    if count != table.rows:
        raise WarehouseError(f"Of {table.rows} rows of {name} in the backup, {count} arrived. Nothing was restored.")
    warehouse.execute("drop table stage_restored")
