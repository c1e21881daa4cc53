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

import sqlalchemy as sa

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import description_of, named, statement
from warehouse.opened.migrate import open_migrated
from warehouse.schema.comments import of_view
from warehouse.schema.functions import columns_of, texts
from warehouse.schema.marts import tables_of
from warehouse.schema.public import MART, PUBLIC
from warehouse.schema.tables import SCHEMA, mirror, type_of

HEAD = """# Data dictionary

`make dictionary` writes this page from the descriptions of the fields and views; a test compares them. The database
has the same texts as comments on views and columns. Types are DuckDB's; Postgres has the same.

Amounts are `decimal` with six places, in the client's own currency: never add up two currencies. Times are in UTC.

The schema `mart_public` has the same views and functions as `mart`, without the columns marked as personal data.
"""


DATABASE = "{{ 'ninja_sync' if target.type == 'duckdb' else target.database }}"
"""The database where dbt finds the views: DuckDB's published copy, attached by that name, or Postgres' own database."""
SOURCES = {
    PUBLIC: ("ninja", "The views without personal data."),
    MART: ("ninja_personal", "The same views with personal data, for those who may see it."),
    SCHEMA: (
        "ninja_records",
        "The records of the server, with personal data. On Postgres only the owner of the warehouse may read them.",
    ),
}
"""The sources of dbt by schema: name and description."""
FRESHNESS = (
    "        config:",
    "          loaded_at_field: last_load_at",
    "          freshness: {warn_after: {count: 7, period: day}}",
)
"""The last load that changed something: a company without a change for a week is either quiet or not pulled."""


def dictionary(warehouse: Warehouse) -> str:
    """Return the dictionary of an open warehouse of this version, as Markdown."""
    return "\n".join([HEAD, *_views(warehouse), *_functions(), *_tables()]) + "\n"


def dbt_sources(warehouse: Warehouse) -> str:
    """Return the views of both schemas and the mirror as dbt sources with all descriptions (JSON strings are YAML)."""
    tables = tables_of(warehouse).tables.values()
    lines = ["version: 2", "sources:"]
    for schema, (name, description) in SOURCES.items():
        lines += [f"  - name: {name}", f"    description: {json.dumps(description)}"]
        lines += [f"    database: {json.dumps(DATABASE)}", f"    schema: {schema}", "    tables:"]
        for table in tables:
            if table.schema == schema:
                lines += _source(table)
    return "\n".join(lines) + "\n"


def _source(table: sa.Table) -> Iterator[str]:
    yield f"      - name: {table.name}"
    if table.comment:
        yield f"        description: {json.dumps(table.comment)}"
    if table.name == "load_status" and table.schema == PUBLIC:  # a role that reads only this schema may ask
        yield from FRESHNESS
    yield "        columns:"
    for column in table.columns:
        yield f"          - {{name: {column.name}, description: {json.dumps(column.comment)}}}"


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
        yield f"### mart.{view}\n\n{description_of(made)}\n"
        yield from _table(types, of_view(view, list(types)))


def _functions() -> Iterator[str]:
    yield "## Functions of `mart`: rows as of a day\n"
    yield "For example: `select * from mart.aging_as_of(date '2025-12-31')`\n"
    for name, text in sorted(texts().items()):
        types = {column: kind.replace(", ", ",") for column, kind in columns_of(text).items()}
        yield f"### mart.{name}\n\n{description_of(text)}\n"
        yield from _table(types, of_view(name.removesuffix("_as_of"), list(types)))


def _tables() -> Iterator[str]:
    yield "## Tables of `ninja`, the mirror of the server's records\n"
    for table in mirror().tables.values():
        types = {column.name: type_of(column) + " not null" * (not column.nullable) for column in table.columns}
        yield f"### {table.fullname}\n"
        yield from _table(types, {column.name: str(column.comment) for column in table.columns})


def _table(types: dict[str, str], words: dict[str, str]) -> Iterator[str]:
    yield "| column | type | description |\n|---|---|---|"
    yield from (f"| `{name}` | {kind.lower()} | {words[name]} |" for name, kind in types.items())
    yield ""


def main() -> None:
    """Print the dictionary, or the sources of dbt, of a new warehouse."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_migrated(Path(folder) / "new.duckdb", now=datetime.now(UTC)) as warehouse,
    ):
        sys.stdout.write(dbt_sources(warehouse) if sys.argv[1:] == ["dbt"] else dictionary(warehouse))


if __name__ == "__main__":
    main()
