"""Write the data dictionary: every view and function of `mart` and every table of `ninja`, column by column.

python -m warehouse.opened.dictionary > docs/data-dictionary.md
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named, statement
from warehouse.opened.migrate import open_migrated
from warehouse.schema.comments import of_table, of_view, of_whole
from warehouse.schema.functions import columns_of, promise, texts
from warehouse.schema.tables import columns, mirrored

HEAD = """# Data dictionary

`make dictionary` writes this page from the descriptions of the fields and views; a test compares them. The database
has the same texts as comments on views and columns. Types are DuckDB's; Postgres has the same.

Amounts are `decimal` with six places, in the client's own currency: never add up two currencies. Times are in UTC.

The schema `mart_public` has the same views and functions as `mart`, without the columns marked as personal data.
"""


DATABASE = "{{ 'ninja_sync' if target.type == 'duckdb' else target.database }}"
"""The database where dbt finds the views: DuckDB's published copy, attached by that name, or Postgres' own database."""


def dictionary(warehouse: Warehouse) -> str:
    """Return the dictionary of an open warehouse of this version, as Markdown."""
    return "\n".join([HEAD, *_views(warehouse), *_functions(), *_tables()]) + "\n"


def dbt_sources(warehouse: Warehouse) -> str:
    """Return the views of `mart` as a dbt source with all descriptions, as YAML (JSON strings are YAML)."""
    lines = ["version: 2", "sources:", "  - name: ninja", f"    database: {json.dumps(DATABASE)}", "    schema: mart"]
    lines += ["    tables:"]
    for view in named("mart"):
        words = of_view(view, list(_types(warehouse, view)))
        lines += [f"      - name: {view}", f"        description: {json.dumps(of_whole(statement(f'mart/{view}')))}"]
        lines += ["        columns:"]
        lines += [f"          - {{name: {name}, description: {json.dumps(text)}}}" for name, text in words.items()]
    return "\n".join(lines) + "\n"


def _types(warehouse: Warehouse, view: str) -> dict[str, str]:
    rows = warehouse.rows(
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'mart' and table_name = $view order by ordinal_position",
        {"view": view},
    )
    return {str(name): str(kind) for name, kind in rows}


def _views(warehouse: Warehouse) -> Iterator[str]:
    yield "## Views of `mart`, for people\n"
    for view in named("mart"):
        types = _types(warehouse, view)
        made = statement(f"mart/{view}")
        yield f"### mart.{view}\n\n{of_whole(made)}\n"
        yield from _table(types, of_view(view, list(types)))


def _functions() -> Iterator[str]:
    yield "## Functions of `mart`: rows as of a day\n"
    yield "For example: `select * from mart.aging_as_of(date '2025-12-31')`\n"
    for name, text in sorted(texts().items()):
        types = {column: kind.replace(", ", ",") for column, kind in columns_of(text).items()}
        yield f"### mart.{name}\n\n{promise(text)}\n"
        yield from _table(types, of_view(name.removesuffix("_as_of"), list(types)))


def _tables() -> Iterator[str]:
    yield "## Tables of `ninja`, the mirror of the server's records\n"
    for entity, parent in mirrored():
        yield f"### ninja.{entity.name}\n"
        yield from _table(columns(entity, parent), of_table(entity, parent))


def _table(types: dict[str, str], words: dict[str, str]) -> Iterator[str]:
    yield "| column | type | description |\n|---|---|---|"
    yield from (f"| `{name}` | {kind.lower()} | {words[name]} |" for name, kind in types.items())
    yield ""


def main() -> None:
    """Print the dictionary, or the source of dbt, of a new warehouse."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_migrated(Path(folder) / "new.duckdb", now=datetime.now(UTC)) as warehouse,
    ):
        sys.stdout.write(dbt_sources(warehouse) if sys.argv[1:] == ["dbt"] else dictionary(warehouse))


if __name__ == "__main__":
    main()
