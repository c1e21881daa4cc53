"""What a database holds: `python -m tests.bench.holds FILE SCHEMA CONTACTS` prints totals as JSON.

In a process of its own, so that whoever measures stays small.
"""

from __future__ import annotations

import json
import sys

import duckdb

ASKED = """
select count(*), count(distinct id), (select count(*) from {schema}.{contacts}), cast(sum(balance) as varchar)
from {schema}.clients
"""


def main() -> None:
    """Print the totals."""
    file, schema, contacts = sys.argv[1:]
    with duckdb.connect(file, read_only=True) as opened:
        found = opened.execute(ASKED.format(schema=schema, contacts=contacts)).fetchone()
    assert found is not None
    print(json.dumps(dict(zip(("clients", "ids", "contacts", "money"), found, strict=True))))


if __name__ == "__main__":
    main()
