"""Export the views for others: as Parquet files by source, and as one DuckDB file.

    FOLDER/source=NAME/clients.parquet, contacts.parquet, ...
    FOLDER/reader.duckdb                    the same views, as tables, and the functions of a day

The DuckDB file has both schemas, so that every query runs on it: the tables are in `mart`, and the views of
`mart_public` read them. Without personal data the tables are in `mart_public`, and the views of `mart` read them.

Either engine can export, into any folder, even on another disk: each file is written beside its place and renamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from schemas.errors import WarehouseError
from warehouse.engine.duckdb import QUIET
from warehouse.engine.private import make_private_folder, reason, written_aside
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import named, statement
from warehouse.schema.comments import comments_of
from warehouse.schema.functions import macro, texts
from warehouse.schema.personal import readable
from warehouse.schema.public import MART, PUBLIC, public_function, public_views

LEFT_OUT = ("client_balance_daily",)
"""Views with too many rows. Readers can compute them from client_history, which is exported."""


def export(warehouse: Warehouse, folder: Path, *, personal: bool) -> list[Path]:
    """Write all views into a folder and return the files. Without `personal`, leave out personal data.

    Rows are streamed. Raises WarehouseError if the folder cannot be written; finished files stay.
    """
    try:
        make_private_folder(folder)
        with warehouse.transaction():  # all views as of one moment
            if warehouse.engine == POSTGRES:
                warehouse.execute("set transaction isolation level repeatable read")
            files = [file for view in _views() for file in _parquet(warehouse, folder, view, personal=personal)]
        return [*files, _reader(folder, files, personal=personal)]
    except OSError as problem:
        raise WarehouseError(f"The folder {folder} cannot be written: {reason(problem)}.") from None


def _views() -> list[str]:
    return [view for view in named("mart") if view not in LEFT_OUT]


def _parquet(warehouse: Warehouse, folder: Path, view: str, *, personal: bool) -> Iterator[Path]:
    rows = f"select * from {MART if personal else PUBLIC}.{view}"
    for (source,) in warehouse.rows("select source from control.sources order by source"):
        target = folder / f"source={source}"
        make_private_folder(target)
        batches = warehouse.streamed(f"{rows} where source = $source", {"source": source})
        with written_aside(target / f"{view}.parquet") as beside:
            _write(beside, batches, warehouse.table(f"{rows} limit 0").schema)
        yield target / f"{view}.parquet"


def _write(beside: Path, batches: Iterator[object], schema: object) -> None:
    """Write batches of one schema. A view without rows becomes a file with its columns."""
    with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _reader(folder: Path, files: list[Path], *, personal: bool) -> Path:
    """Write the DuckDB file from the Parquet files."""
    schema = MART if personal else PUBLIC
    with written_aside(folder / "reader.duckdb") as beside, duckdb.connect(str(beside)) as reader:
        reader.execute(QUIET).fetchall()
        for name in (MART, PUBLIC):
            reader.execute(f"create schema {name}").fetchall()
        for view in _views():
            parts = [str(file) for file in files if file.stem == view]
            made = f"create table {schema}.{view} as select * from read_parquet($files, hive_partitioning = false)"
            reader.execute(made, {"files": parts}).fetchall()
        columns = {view: _columns(reader, f"{schema}.{view}") for view in _views()}
        for part in [*_other_views(columns, personal=personal), *_functions()]:
            reader.execute(part).fetchall()
        reader.execute("checkpoint").fetchall()
    return folder / "reader.duckdb"


def _columns(reader: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [str(column[0]) for column in reader.execute(f"select * from {table} limit 0").description or []]


def _other_views(columns: Mapping[str, list[str]], *, personal: bool) -> Iterator[str]:
    """Yield the statements of the views in the schema without tables, and all comments."""
    whole = {view: statement(f"mart/{view}") for view in columns}
    public = public_views(whole, columns)
    if personal:
        yield from public.values()
    else:
        yield from (f"create view {MART}.{view} as select * from {PUBLIC}.{view}" for view in columns)
    yield comments_of(MART, whole, columns, kind="table" if personal else "view")
    readable_columns = {view: readable(view, names) for view, names in columns.items()}
    yield comments_of(PUBLIC, public, readable_columns, kind="view" if personal else "table")


def _functions() -> Iterator[str]:
    for text in texts().values():
        yield from macro(text)
        yield from macro(public_function(text))
