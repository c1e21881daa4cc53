"""An Invoice Ninja that changes between any two requests, in memory: the wire of the scan's tests.

Filter, order, page size and page number do what QueryFilters and BaseController of 5.10.42 do; everything that 5.10.42
leaves open (the order of equal stamps) is drawn anew for each request.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from connector.scan.pages import Page, Unreadable
from connector.scan.scan import first_look, next_watermark, read
from connector.scan.state import Scan
from schemas.errors import PagesMoved, ServerUnavailable

START = 1_750_000_000.0
LOOK_BACK = 60


@dataclass
class Record:
    """One client: its stamp with fractions, None for a row that was imported without one, and what is in it."""

    stamp: float | None
    version: int = 1


@dataclass
class ChangingServer:
    """`west` is the offset of SERVER_TIMEZONE in seconds west of UTC, `clamp` the most rows of a page.

    `chaos` is the chance that something changes before a request, `late` lets changes be seen later than they are
    stamped, with `purges` rows vanish as often as anything else happens, with `quiet` some changes move no stamp. A
    page with a row of `poison` is an empty answer, one of more than `too_many` rows a 500.
    """

    rnd: random.Random
    west: int = 0
    clamp: int = 5000
    late: bool = False
    chaos: float = 0.0
    purges: bool = False
    quiet: bool = False
    ignores_filter: bool = False
    version: str = "5.10.42"
    total: Callable[[int], int | None] = lambda n: n
    now: float = START
    rows: dict[int, Record] = field(default_factory=dict)
    poison: set[int] = field(default_factory=set)
    poison_details: bool = False
    log: list[dict[str, str | int]] = field(default_factory=list)
    client_hash: str = "x"
    too_many: int = 10**9
    before_each: Callable[[int], None] = lambda _: None
    _pending: list[tuple[float, int, float]] = field(default_factory=list)
    _next: int = 1

    # what people do

    def insert(self, stamp: float | None = -1) -> int:
        number, self._next = self._next, self._next + 1
        self.rows[number] = Record(self.now if stamp == -1 else stamp)
        return number

    def touch(self, number: int, stamp: float | None = None) -> None:
        if number in self.rows:
            old = self.rows[number]
            self.rows[number] = Record(self.now if stamp is None else stamp, old.version + 1)

    def purge(self, number: int) -> None:
        self.rows.pop(number, None)

    def commit_late(self, number: int, seconds: float) -> None:
        """A change that is stamped now and seen only later."""
        self._pending.append((self.now + seconds, number, self.now))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for due in [p for p in self._pending if p[0] <= self.now]:
            self._pending.remove(due)
            self.touch(due[1], due[2])

    def mutate(self) -> None:
        draw, ids = self.rnd.random(), list(self.rows)
        if self.purges and ids and draw < 0.5:
            self.purge(self.rnd.choice(ids[: len(ids) // 2 + 1]))
            return
        draw = self.rnd.random()
        if draw < 0.3:
            self.insert(None if self.rnd.random() < 0.05 else -1)
        elif draw < 0.6 and ids:
            self.touch(self.rnd.choice(ids))
        elif self.quiet and draw < 0.7 and ids:
            number = self.rnd.choice(ids)
            self.touch(number, self.rows[number].stamp)
        elif draw < 0.8 and ids:
            self.purge(self.rnd.choice(ids))
        elif draw < 0.9:
            for number in self.rnd.sample(ids, min(len(ids), self.rnd.randrange(2, 40))):
                self.touch(number)
        elif ids and self.late:
            self.commit_late(self.rnd.choice(ids), self.rnd.uniform(0, LOOK_BACK * 0.9))

    # what the API answers

    def ask(self, params: Mapping[str, str | int]) -> Page:
        self.before_each(len(self.log))
        self.log.append(dict(params))
        self.wait(self.rnd.choice([0, 0.1, 0.6, 2]) if self.chaos else 0.01)
        if self.rnd.random() < self.chaos:
            self.mutate()
        found = self._sorted(self._found(params), str(params["sort"]) if "sort" in params else "")
        per_page = min(int(params.get("per_page", 20)), self.clamp)
        start = (int(params.get("page", 1)) - 1) * per_page
        shown = found[start : start + per_page]
        if len(shown) > self.too_many:
            raise ServerUnavailable(status=500)
        details = "filter_details" in params and not self.poison_details
        if not details and self.poison.intersection(shown):
            raise Unreadable
        records: list[object] = [{"id": name(n)} if details else self.record(n) for n in shown]
        return Page(records, self.total(len(found)), per_page, datetime.fromtimestamp(int(self.now), UTC), self.version)

    def record(self, number: int) -> dict[str, object]:
        row = self.rows[number]
        return {
            "id": name(number),
            "updated_at": int(row.stamp or 0),
            "version": row.version,
            "client_hash": self.client_hash,
        }

    def _found(self, params: Mapping[str, str | int]) -> list[int]:
        since = params.get("updated_at")
        found = list(self.rows)
        if "client_id" in params:
            found = [n for n in found if name(n) == params["client_id"]]
        if since is None or self.ignores_filter:
            return found
        return [n for n in found if (stamp := self.rows[n].stamp) is not None and stamp - self.west >= int(since)]

    def _sorted(self, found: list[int], sort: str) -> list[int]:
        """MySQL takes NULL for the smallest value."""
        if sort == "id|asc":
            return sorted(found)
        self.rnd.shuffle(found)
        if sort:
            assert sort in ("updated_at|asc", "updated_at|desc")
            found.sort(key=lambda n: self.rows[n].stamp or 0.0, reverse=sort.endswith("desc"))
        return found


def name(number: int) -> str:
    """The id of a row as it is sent; in another order than the number, as hashed ids are."""
    return f"c{number * 7919 % 100003:06d}"


def by_chance(rnd: random.Random):
    """What stands in for threads: draws which source goes on, and whose oldest page is handed over.

    So a history comes out the same each time. A page can be handed over long after it was asked, but not before an
    earlier one of its source.
    """

    def together(sources: Sequence[Iterator], at_once: int) -> Iterator[tuple[int, object]]:
        going, made = dict(enumerate(sources)), [deque() for _ in sources]
        while going or any(made):
            busy = list(going)[:at_once] if sum(map(len, made)) < at_once + 2 else []
            waiting = [n for n, items in enumerate(made) if items]
            place = rnd.choice(busy + waiting)
            if place in busy and (not made[place] or rnd.random() < 0.5):
                try:
                    made[place].append(next(going[place]))
                except StopIteration:
                    del going[place]
            elif made[place]:
                yield place, made[place].popleft()

    return together


@dataclass
class Mirror:
    """A warehouse in small: of the rows of a run the newest by (stamp, arrival) replaces what was there before.

    `cuts` is the chance that a run is interrupted behind a page and taken up again, three times at the most. `older`
    are the ids of which an older answer won over a newer one, `lacking` those that were on the server from the first to
    the last request of a full run and did not come.
    """

    page_size: int = 4
    connections: int = 1
    cuts: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)
    stamps: dict[str, int] = field(default_factory=dict)
    watermark: int | None = None
    skew: int | None = None
    stopped: int = 0
    older: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    def pull(self, server: ChangingServer, look_back: int = LOOK_BACK) -> Scan:
        """One run; nothing of it is kept where the pages did not come to rest."""
        there = set(server.rows)
        scan = self._scan(server)
        staged: list[dict[str, object]] = []
        cuts_left = 3  # a walk that is cut begins anew, and would never end
        try:
            pages = read(scan, self.watermark)
            while (page := next(pages, None)) is not None:
                staged += page
                if cuts_left and self.cuts and server.rnd.random() < self.cuts:
                    cuts_left -= 1
                    pages.close()
                    scan, pages = self._taken_up(server, scan)
        except PagesMoved:
            self.stopped += 1
            return scan
        newest: dict[str, tuple[int, int]] = {}
        for record in staged:
            if record["id"] not in newest or newest[record["id"]][0] <= record["updated_at"]:
                newest[record["id"]] = record["updated_at"], record["version"]
        self.older += [r["id"] for r in staged if r["version"] > newest[r["id"]][1]]
        if scan.full:
            self.lacking += [name(n) for n in there & set(server.rows) if name(n) not in newest]
        self.rows.update((key, version) for key, (_, version) in newest.items())
        self.stamps.update((key, stamp) for key, (stamp, _) in newest.items())
        mark = next_watermark(scan, look_back)
        self.watermark = self.watermark if mark is None else mark
        self.skew = scan.skew
        return scan

    def _scan(self, server: ChangingServer) -> Scan:
        scan = Scan(server.ask, first_look(server.ask), page_size=self.page_size, skew=self.skew)
        scan.connections, scan.together = self.connections, by_chance(server.rnd)
        if self.watermark is not None:
            scan.recent = sum(stamp >= self.watermark for stamp in self.stamps.values())
        return scan

    def _taken_up(self, server: ChangingServer, cut: Scan) -> tuple[Scan, Iterator[list[dict[str, object]]]]:
        scan = self._scan(server)
        scan.look = replace(scan.look, began=min(scan.look.began, cut.look.began))
        scan.newest_seen, scan.skew, scan.recheck = cut.newest_seen, cut.skew, True
        return scan, read(scan, self.watermark, resume=cut.open)

    def wrong(self, server: ChangingServer, *, without_stamp: bool = True) -> list[int]:
        """Rows of the server that the mirror lacks or has in an old version."""
        return [
            n
            for n, row in server.rows.items()
            if (row.stamp is not None or without_stamp) and self.rows.get(name(n)) != row.version
        ]
