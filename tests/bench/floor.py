"""The floor: fetch and decode every page, and store nothing. `python floor.py URL PER_PAGE CONNECTIONS KIND ...`.

One connection goes on from the last stamp, as our scan does. Several read the pages of an unfiltered list, which is the
least that a parallel fetch can do. Imports nothing of ours: a process of its own is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import orjson


def main() -> None:
    """Print how many records came."""
    address, size, connections, *kinds = sys.argv[1:]
    with httpx.Client(timeout=120, headers={"X-API-TOKEN": "bench", "Accept": "application/json"}) as client:
        lists = (f"{address}/api/v1/{kind}" for kind in kinds)
        print(sum(_read(client, url, int(size), int(connections)) for url in lists))


def _read(client: httpx.Client, url: str, size: int, connections: int) -> int:
    """How many records a list has."""

    def page(**asked: int) -> list[dict[str, int]]:
        found: list[dict[str, int]] = orjson.loads(
            client.get(url, params={"sort": "updated_at|asc", "per_page": size, **asked}).content
        )["data"]
        return found

    if connections == 1:
        return _one_after_the_other(page, size)
    answer = client.get(url, params={"per_page": 1}).json()
    pages = -(-answer["meta"]["pagination"]["total"] // size)
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(lambda number: len(page(page=number)), range(1, pages + 1)))


def _one_after_the_other(page: Callable[..., list[dict[str, int]]], size: int) -> int:
    rows, count, again = page(), 0, set[int]()
    while True:
        count += sum(row["id"] not in again for row in rows)
        if len(rows) < size:
            return count
        stamp = rows[-1]["updated_at"]
        again = {row["id"] for row in rows if row["updated_at"] == stamp}  # they come once more
        rows = page(updated_at=stamp)


if __name__ == "__main__":
    main()
