"""Export the views of `mart` for others: as Parquet files by source, and as one DuckDB file.

    FOLDER/source=NAME/clients.parquet, contacts.parquet, ...
    FOLDER/reader.duckdb                    the same views, as tables of the schema mart, and the functions of a day

Either engine can export, into any folder, even on another disk: each file is written beside its place and renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from schemas.errors import WarehouseError
from warehouse.engine.duckdb import QUIET
from warehouse.engine.private import make_private_folder, reason, written_aside
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import named
from warehouse.schema.functions import macro, texts
from warehouse.schema.personal import readable

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
        return [*files, _reader(folder, files)]
    except OSError as problem:
        raise WarehouseError(f"The folder {folder} cannot be written: {reason(problem)}.") from None


def _views() -> list[str]:
    return [view for view in named("mart") if view not in LEFT_OUT]


def _parquet(warehouse: Warehouse, folder: Path, view: str, *, personal: bool) -> Iterator[Path]:
    rows = warehouse.rows(
        "select column_name from information_schema.columns where table_schema = 'mart' and table_name = $view "
        "order by ordinal_position",
        {"view": view},
    )
    columns = [str(name) for (name,) in rows]
    listed = ", ".join(f'"{name}"' for name in (columns if personal else readable(view, columns)))
    for (source,) in warehouse.rows("select source from control.sources order by source"):
        target = folder / f"source={source}"
        make_private_folder(target)
        batches = warehouse.streamed(f"select {listed} from mart.{view} where source = $source", {"source": source})
        with written_aside(target / f"{view}.parquet") as beside:
            _write(beside, batches, warehouse.table(f"select {listed} from mart.{view} limit 0").schema)
        yield target / f"{view}.parquet"


def _write(beside: Path, batches: Iterator[object], schema: object) -> None:
    """Write batches of one schema. A view without rows becomes a file with its columns."""
    with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _reader(folder: Path, files: list[Path]) -> Path:
    """Write the DuckDB file from the Parquet files."""
    with written_aside(folder / "reader.duckdb") as beside, duckdb.connect(str(beside)) as reader:
        reader.execute(QUIET).fetchall()
        reader.execute("create schema mart").fetchall()
        for view in _views():
            parts = [str(file) for file in files if file.stem == view]
            made = f"create table mart.{view} as select * from read_parquet($files, hive_partitioning = false)"
            reader.execute(made, {"files": parts}).fetchall()
        for text in texts().values():
            for part in macro(text):
                reader.execute(part).fetchall()
        reader.execute("checkpoint").fetchall()
    return folder / "reader.duckdb"
