"""What a database holds: `python -m tests.bench.holds PLACE SCHEMA TABLE CHILDREN COLUMN` prints totals as JSON.

PLACE is a DuckDB file or the URL of a Postgres database. In a process of its own, so that the bench stays small.
"""

from __future__ import annotations

import json
import sys

ASKED = """
select count(*), count(distinct id), (select count(*) from {schema}.{children}), cast(sum({column}) as varchar)
from {schema}.{table}
"""


def main() -> None:
    """Print the totals."""
    place, schema, table, children, column = sys.argv[1:]
    totals = rows_of(place, ASKED.format(schema=schema, table=table, children=children, column=column))[0]
    print(json.dumps(dict(zip(("rows", "ids", "children", "money"), totals, strict=True))))


def rows_of(place: str, query: str) -> list[tuple[object, ...]]:
    """The rows that a query has on either engine."""
    if "://" in place:
        import psycopg  # noqa: PLC0415 - one of the two is needed

        with psycopg.connect(place) as connection:
            return connection.execute(query).fetchall()
    import duckdb  # noqa: PLC0415 - as above

    with duckdb.connect(place, read_only=True) as connection:
        return connection.execute(query).fetchall()


if __name__ == "__main__":
    main()
