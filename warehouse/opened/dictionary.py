"""Write the data dictionary: every view and function of `mart` and every table of `ninja`, column by column.

python -m warehouse.opened.dictionary > docs/data-dictionary.md
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named, statement
from warehouse.opened.migrate import open_migrated
from warehouse.schema.comments import of_view, of_whole
from warehouse.schema.functions import columns_of, promise, texts
from warehouse.schema.personal import readable
from warehouse.schema.public import MART, PUBLIC, public_views
from warehouse.schema.tables import mirror, type_of

HEAD = """# Data dictionary

`make dictionary` writes this page from the descriptions of the fields and views; a test compares them. The database
has the same texts as comments on views and columns. Types are DuckDB's; Postgres has the same.

Amounts are `decimal` with six places, in the client's own currency: never add up two currencies. Times are in UTC.

The schema `mart_public` has the same views and functions as `mart`, without the columns marked as personal data.
"""


DATABASE = "{{ 'ninja_sync' if target.type == 'duckdb' else target.database }}"
"""The database where dbt finds the views: DuckDB's published copy, attached by that name, or Postgres' own database."""
SOURCES = {
    PUBLIC: "The views without personal data.",
    MART: "The same views with personal data, for those who may see it.",
}
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
    """Return the views of both schemas as two dbt sources with all descriptions, as YAML (JSON strings are YAML)."""
    whole = {view: statement(f"mart/{view}") for view in named(MART)}
    columns_of_all = {view: list(_types(warehouse, view)) for view in whole}
    public = {view: readable(view, names) for view, names in columns_of_all.items()}
    lines = ["version: 2", "sources:"]
    lines += _source("ninja", PUBLIC, public_views(whole, columns_of_all), public)
    lines += _source("ninja_personal", MART, whole, columns_of_all)
    return "\n".join(lines) + "\n"


def _source(name: str, schema: str, made: Mapping[str, str], names: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the lines of one source: the views of a schema, each made by its statement."""
    yield f"  - name: {name}"
    yield f"    description: {json.dumps(SOURCES[schema])}"
    yield from (f"    database: {json.dumps(DATABASE)}", f"    schema: {schema}", "    tables:")
    for view, text in made.items():
        yield f"      - name: {view}"
        yield f"        description: {json.dumps(of_whole(text))}"
        if view == "load_status":
            yield from FRESHNESS
        yield "        columns:"
        for column, words in of_view(view, names[view]).items():
            yield f"          - {{name: {column}, description: {json.dumps(words)}}}"


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
