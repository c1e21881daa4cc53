"""How long it takes to sum balances by day: `python -m tests.bench.thirty_days URL TIMES`, on a warehouse in Postgres.

A history of one day has no thirty days, so all versions are dated forty days back first. The warehouse is only good for
throwing away afterwards. Prints the seconds of each query, the rows that the last one summed, and their sum.
"""

from __future__ import annotations

import json
import sys
import time

import psycopg

AGED = (
    "update ninja.clients set valid_from = valid_from - interval '40 days'",
    """update control.client_versions
       set valid_from = valid_from - interval '40 days', valid_to = valid_to - interval '40 days'""",
    "vacuum analyze ninja.clients",
    "vacuum analyze control.client_versions",
)
ASKED = """
select count(*), sum(balance) from mart.client_balance_daily
where day >= current_date - 30 and day < current_date
"""


def main() -> None:
    """Date the history back, then ask."""
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        for statement in AGED:
            connection.execute(statement)
        seconds = []
        for _ in range(int(sys.argv[2])):
            began = time.perf_counter()
            rows, money = connection.execute(ASKED).fetchone()
            seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "rows": rows, "money": str(money)}))


if __name__ == "__main__":
    main()
