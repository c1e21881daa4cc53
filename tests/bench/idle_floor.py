"""The least that an idle pull can do: import an HTTP client and a database's driver, and ask one query.

`python idle_floor.py [POSTGRES-URL]`; without a URL the database is DuckDB, in memory.
"""

from __future__ import annotations

import sys

import httpx

if len(sys.argv) > 1:
    import psycopg

    with psycopg.connect(sys.argv[1]) as connection:
        print(httpx.__version__, connection.execute("select 1").fetchall())
else:
    import duckdb

    print(httpx.__version__, duckdb.sql("select 1").fetchall())
