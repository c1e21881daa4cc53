"""`python -m tests.bench.desk`: how long the pages of the desk take in books of 100,000 clients, on both engines.

The books are those of `tests.bench.receivables`, with groups of duplicates. The desk is a process of its own, as a
person starts it. Each page is asked for one at a time, the best time counts; then twenty times at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.bench.receivables import build, key, places
from tests.forked import COMMAND
from tests.records import client
from warehouse.engine.place import Place, PostgresUrl
from warehouse.engine.seam import DUCKDB, POSTGRES, Warehouse
from warehouse.opened.migrate import open_migrated
from warehouse.publish.publish import publish

AT_MOST = 0.2
"""Seconds of a page."""
TIMES, AT_ONCE = 10, 20
GROUPS = 2_000
PAGES = ("/", "/clients", "/duplicates", "/merges", "/corrections", "/plans", "/receivables", "/health")


def duplicates(warehouse: Warehouse) -> None:
    """Put the first clients into groups of two; their records have their ids, since a review reads them."""
    record = json.dumps(client("ID", balance=0), default=str)
    warehouse.execute(
        "update ninja.clients set record = cast(replace($record, 'ID', id) as json) "
        f"where cast(number as bigint) <= {GROUPS * 2 + 1}",
        {"record": record},
    )
    numbers = f"(select cast(number as bigint) as n from generate_series(1, {GROUPS}) as s(number)) as numbers"
    first, second = key("c", "2 * n"), key("c", "2 * n + 1")
    smaller, larger = f"least({first}, {second})", f"greatest({first}, {second})"
    warehouse.execute(
        "insert into control.duplicate_pairs "
        "(source, id_a, id_b, probability, keys, reasons, against, found_at, in_conflict) "
        f"select 'main', {smaller}, {larger}, 0.5 + n / {GROUPS * 2}.0, '', cast($reasons as json), "
        f"cast('[]' as json), now(), false from {numbers}",
        {"reasons": '["names alike"]'},
    )
    for member in (first, second):
        warehouse.execute(
            "insert into control.duplicate_clusters (source, cluster_id, id, found_at) "
            f"select 'main', {smaller}, {member}, now() from {numbers}"
        )


@contextmanager
def desk_of(place: Place, folder: Path) -> Iterator[httpx.Client]:
    """A desk before a warehouse, and a person who has entered it."""
    url = place.url if isinstance(place, PostgresUrl) else str(place)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("NINJA_SYNC_")
    } | {"NINJA_SYNC_URL": "https://ninja.test", "NINJA_SYNC_TOKEN": "none", "NINJA_SYNC_WAREHOUSE": url}  # fmt: skip
    command = [COMMAND, "desk", "--port", "0", "--json"]
    with subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = "".join(iter(lambda: process.stdout.read(1), "]")) + "]"
            link = json.loads(text)[0]["link"]
            origin = link.partition("/enter/")[0]
            with httpx.Client(base_url=origin, headers={"Origin": origin}, trust_env=False, timeout=120) as http:
                http.post(link)
                yield http
        finally:
            process.terminate()


def pages_of(http: httpx.Client) -> list[str]:
    """The pages to ask for: those in the bar, and the first link to a client and to a group that they have."""
    more = []
    for page, pattern in (
        ("/clients", r'href="(/clients/main/[^"?]+)"'),
        ("/duplicates", r'href="(/duplicates/[^"?]+)"'),
    ):
        found = re.search(pattern, http.get(page, follow_redirects=True).text)
        more += [found[1]] if found else []
    return [*PAGES, *more]


def seconds_of(http: httpx.Client, page: str) -> float:
    """The seconds of one page."""
    began = time.perf_counter()
    answer = http.get(page, follow_redirects=True)
    assert answer.status_code == httpx.codes.OK, f"{page}: {answer.status_code}\n{answer.text[-2000:]}"
    return time.perf_counter() - began


def main() -> None:
    """Print the best time of each page, and the longest of twenty at once. The exit code is 1 if a page is too slow."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--clients", type=int, default=100_000)
    asked.add_argument("--engine", choices=[DUCKDB, POSTGRES], action="append")
    wanted = asked.parse_args()
    slow = False
    with places(wanted.engine or [DUCKDB, POSTGRES]) as (made, _), tempfile.TemporaryDirectory() as folder:
        for engine, place in made.items():
            with open_migrated(place, now=datetime.now(UTC)) as warehouse:
                build(warehouse, wanted.clients)
                duplicates(warehouse)
                if engine == DUCKDB:
                    publish(warehouse)
            print(f"{engine}: {wanted.clients:,} clients", flush=True)
            with desk_of(place, Path(folder)) as http:
                for page in pages_of(http):
                    best = min(seconds_of(http, page) for _ in range(TIMES))
                    with ThreadPoolExecutor(AT_ONCE) as pool:
                        longest = max(pool.map(lambda _, page=page: seconds_of(http, page), range(AT_ONCE)))
                    slow = slow or best > AT_MOST
                    print(f"  {page:40}{best * 1000:8.0f} ms   {AT_ONCE} at once: {longest * 1000:8.0f} ms", flush=True)
    sys.exit(slow)


if __name__ == "__main__":
    main()
