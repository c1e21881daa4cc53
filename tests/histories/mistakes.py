"""Mistakes that somebody may make one day, and that these histories catch: a test of the tests.

`python -m tests.histories.mistakes` plants one after the other and tells in which world it is caught.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connector.scan import keyset as keyset_module
from connector.scan import scan as scan_module
from connector.scan.skew import HOUR
from connector.scan.state import Scan, Span, seen, since
from connector.scan.walk import _pages_by_id
from flows.pull import known as known_module
from flows.pull import one_entity as one_entity_module
from flows.pull import pull as pull_module
from schemas.clocks import Clocks
from tests.histories import machine
from tests.histories.quick import quick
from tests.histories.run import play
from warehouse.load import merge as merge_module
from warehouse.load.staging import Staging

Plant = Callable[[pytest.MonkeyPatch], None]
MOST = 800
"""Worlds in which a mistake has to be caught; most are within some dozens."""


def watermark(wrong: Callable[[Scan, int], int | None]) -> Plant:
    return lambda patch: patch.setattr(one_entity_module, "next_watermark", wrong)


def in_sql(name: str, old: str, new: str) -> Plant:
    """The same statement with one phrase wrong."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = merge_module.statement
        assert old in right(f"load/{name}")
        patch.setattr(
            merge_module, "statement", lambda n: right(n).replace(old, new) if n.endswith(f"/{name}") else right(n)
        )

    return plant


def paged(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    """Offset paging by stamps."""
    number, cursor = 1, spans[0][0]
    while True:
        asked = {"sort": "updated_at|asc", "per_page": scan.page_size, "page": number, **since(scan, cursor)}
        page = scan.ask(asked)
        yield seen(scan, page.records)
        if len(page.records) < page.per_page:
            return
        number += 1


def paged_by_id(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    yield from walked_once(scan, spans[0][0])


def walked_once(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    for page in _pages_by_id(scan, cursor):
        yield seen(scan, page.records)


def without_tail(scan: Scan, spans: list[Span], together: Any) -> Iterator[list[object]]:
    """Several cursors, and nobody who reads what moved from one to the other."""
    yield from SPANS(scan, spans, together)
    scan.open = [(scan.newest_seen or None, None)]


def total_alone(known: Any, job: Any) -> bool:
    return known.mirrored and known.state.began_at is not None and known.look.total == known.state.mirrored


def taken_up_whenever(staging: Staging, key: Any, now: Clocks) -> bool:
    """Staged pages of another scan, and of any age."""
    found = staging._manifest()
    return found is not None and RESUME(staging, found[0].key, Clocks(found[0].began, found[0].here))


SPANS, RESUME = scan_module.read_spans, Staging.resume

MISTAKES: dict[str, Plant] = {
    "watermark without look-back": watermark(lambda scan, _: min(scan.newest_seen, scan.look.began) or None),
    "watermark an hour ahead": watermark(lambda scan, back: max(1, scan.look.began + HOUR - back)),
    "children of a record that changed stay": in_sql(
        "insert_children", "where a.outcome <> 'unchanged'", "where a.outcome = 'inserted'"
    ),
    "a contact that moved stays": in_sql("delete_moved", "id in (select s.id", "id in (select 'x'"),
    "touched records are left": in_sql("accepted", "then 'touched'", "then 'unchanged'"),
    "offset paging": lambda patch: patch.setattr(scan_module, "keyset", paged),
    "offset paging by id": lambda patch: patch.setattr(scan_module, "keyset", paged_by_id),
    "one walk": lambda patch: patch.setattr(keyset_module, "walk", walked_once),
    "no tail behind several cursors": lambda patch: patch.setattr(scan_module, "read_spans", without_tail),
    "no skew": lambda patch: patch.setattr(scan_module, "measure_skew", lambda *_: 0),
    "idle where the totals agree": lambda patch: patch.setattr(pull_module, "nothing_to_do", total_alone),
    "a moment that lies ahead is trusted": lambda patch: patch.setattr(known_module, "_doubt", lambda *_: ""),
    "a clock that went back is not made up for": lambda patch: patch.setattr(Clocks, "gone_back", lambda *_: 0),
    "staged pages are always taken up": lambda patch: patch.setattr(Staging, "resume", taken_up_whenever),
}  # fmt: skip


def caught_after(plant: Plant, seed: int = 1) -> int | None:
    """How many worlds were played until a history failed; None where none did."""
    with quick(), pytest.MonkeyPatch.context() as patch:
        machine.bound_warehouse()
        plant(patch)
        machine.tally.clear()
        try:
            play(MOST, seed, shrink=False, quiet=True)
        except Exception:  # noqa: BLE001 - a planted mistake may show itself in any way, but it has to
            return machine.tally["worlds"]
    return None


def main() -> int:
    """Plant each, or those whose names hold one of the arguments; 1 where one is not caught."""
    missed = 0
    for name, plant in MISTAKES.items():
        if len(sys.argv) == 1 or any(word in name for word in sys.argv[1:]):
            after = caught_after(plant)
            missed += after is None
            print(f"{name}: " + (f"caught in world {after}" if after else f"NOT CAUGHT in {MOST}"), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
