"""Processes that pull and may be killed at any moment: each is forked from one that has imported everything.

A victim starts in a few milliseconds, so hundreds of kills take minutes. The program below is run by `stable()`, and
kept for the next one; it has one thread only (forking beside other threads could copy a lock that nobody gives back).
It reads an order a line, and everything that its victims do comes back as lines:

    PID at PHASE        what the pull tells of itself: looking, reading, loading, publishing
    PID ended CODE TEXT the exit code that the command line would have had, and the message
    PID gone STATUS     the process is dead; its id is not given away before the next order
    0 over              the order was for no victims, and all those before are gone
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.engines import address

if TYPE_CHECKING:
    from warehouse.engine.place import Place

PAGE = 25
ONE_THREAD = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
KILLED = -int(signal.SIGKILL)
_idle: list[subprocess.Popen[str]] = []
"""Programs that no stable uses now: importing everything takes longer than most of what is tried with it."""


@dataclass
class Victim:
    """One process, and what was heard of it. `status` is as `subprocess` has it: -9 for one that was killed."""

    pid: int
    heard: Iterator[tuple[int, str, str]]
    others: dict[int, Victim]
    phases: dict[str, float] = field(default_factory=dict)
    last: str = ""
    ended_at: float = 0.0
    code: int | None = None
    text: str = ""
    status: int | None = None

    def wait(self, phase: str = "") -> bool:
        """Listen until it is in this phase, or dead where none is named; False where it ended before that."""
        while self.status is None and phase not in self.phases and not (phase and self.code is not None):
            pid, word, rest = next(self.heard)
            self.others[pid].hear(word, rest)
        return not phase or phase in self.phases

    def hear(self, word: str, rest: str) -> None:
        if word == "at":
            self.last = rest
            self.phases.setdefault(rest, time.monotonic())
        elif word == "ended":
            code, _, self.text = rest.partition(" ")
            self.code, self.ended_at = int(code), time.monotonic()
        else:
            self.status = int(rest)

    def kill(self, after: float) -> None:
        """SIGKILL, in so many seconds; a process that is dead by then is left in peace, as its id is still its own."""
        time.sleep(after)
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def lengths(self) -> dict[str, float]:
        """How long each phase of a pull that ended took, in seconds."""
        began = [*self.phases.values(), self.ended_at]
        return dict(zip(self.phases, (b - a for a, b in pairwise(began)), strict=True))


class Stable:
    """Starts victims; all orders of one stable are for one warehouse and the servers named in `sources`."""

    def __init__(self, process: subprocess.Popen[str], order: dict[str, object]) -> None:
        self._process, self._order = process, order

    def send(self, count: int = 1, **more: object) -> list[Victim]:
        """Start so many victims at once. `more` stands over the order of this stable."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**self._order, **more, "count": count}) + "\n")
        self._process.stdin.flush()
        heard, others = self._heard(), {}
        while len(others) < count:  # the first one may be far before the last one is born
            pid, word, rest = next(heard)
            if word == "born":
                others[pid] = Victim(pid, heard, others)
            else:
                others[pid].hear(word, rest)
        return list(others.values())

    def pull(self, **more: object) -> Victim:
        """One pull that nobody disturbs, to its end."""
        (victim,) = self.send(**more)
        victim.wait()
        return victim

    def over(self) -> None:
        """Listen until nothing is left to be heard of any victim."""
        self.send(0)
        while next(self._heard())[0]:
            pass

    def _heard(self) -> Iterator[tuple[int, str, str]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            pid, word, *rest = line.rstrip("\n").split(" ", 2)
            yield int(pid), word, "".join(rest)
        raise AssertionError("the stable has ended")


@contextmanager
def stable(warehouse: Place, sources: dict[str, tuple[str, str]], **more: object) -> Iterator[Stable]:
    """A stable for this warehouse; a source is its server's address and its token."""
    order = {"warehouse": address(warehouse), "sources": sources, **more}
    process = _idle.pop() if _idle else _started()
    try:
        opened = Stable(process, order)
        yield opened
        opened.over()
    except BaseException:
        _end(process)
        raise
    _idle.append(process)


def _started() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crashes.victim"], cwd=Path(__file__).parents[2],
        env={**os.environ, **ONE_THREAD}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with process:
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Read orders until there are no more."""
    for module in (
        "flows.pull.pull",
        "warehouse.load.load",
        "warehouse.opened.rebuild",
        "warehouse.publish.publish",
        "pyarrow.parquet",
    ):
        __import__(module)
    victims: list[int] = []
    for line in sys.stdin:
        if "://" in line and "postgresql" in line:
            __import__("warehouse.engine.postgres")
        for pid in victims:
            os.waitpid(pid, 0)
        order = json.loads(line)
        victims = [_fork(order) for _ in range(order["count"])]
        if not victims:
            say(0, "over")
        for pid in victims:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            assert ended is not None
            say(pid, "gone", ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)


def _fork(order: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    me = os.getpid()
    say(me, "born")
    try:
        DEEDS[order.get("deed", "pull")](order, lambda phase: _reach(me, phase, order))
        code, text = 0, ""
    except BaseException as problem:  # noqa: BLE001 - it is told
        from flows.show.describe import describe  # noqa: PLC0415

        text, code = describe(problem) if isinstance(problem, Exception) else (repr(problem), 1)
        if code == 1:
            traceback.print_exc()
    say(me, "ended", code, text.replace("\n", " "))
    os._exit(code)


def _reach(me: int, phase: str, order: dict) -> None:
    """Tell the phase, and die there where that is the order."""
    say(me, "at", phase)
    if order.get("die_at") == phase:
        os.kill(me, signal.SIGKILL)


def say(*words: object) -> None:
    """One line in one write, which the system keeps whole."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def _pull(order: dict, reach: Callable[[str], None]) -> None:
    """Pull each source of the order. Raises as `pull` does."""
    from connector.door.door import Door, DoorSettings  # noqa: PLC0415
    from connector.door.secret import Secret  # noqa: PLC0415
    from flows.configuration.values import Settings, Source  # noqa: PLC0415
    from flows.pull.job import Job  # noqa: PLC0415
    from flows.pull.pull import pull  # noqa: PLC0415

    if order.get("plant"):
        PLANTED[order["plant"]](_engine(order), reach)
    sources = {
        name: Source(url, page_size=PAGE, requests_per_second=10_000, look_back=0, entities=("clients",))
        for name, (url, _) in order["sources"].items()
    }
    settings = Settings(order["warehouse"], order.get("publish", True), order.get("wait", 30.0), sources)
    for name, (url, token) in order["sources"].items():
        with Door(DoorSettings(url, requests_per_second=10_000), Secret(token)) as door:
            pull(Job(settings, name, door, full=order.get("full", False), progress=lambda doing, _, __: reach(doing)))


def _migrate(order: dict, reach: Callable[[str], None]) -> None:
    """Open the warehouse and bring it to this version."""
    from flows.configuration.load import place_of  # noqa: PLC0415
    from flows.configuration.values import Settings  # noqa: PLC0415
    from warehouse.opened.migrate import open_migrated  # noqa: PLC0415

    reach("migrating")
    with open_migrated(place_of(Settings(order["warehouse"])), now=datetime.now(UTC)):
        reach("migrated")


def _engine(order: dict) -> Any:
    """The class of the warehouse of an order."""
    if order["warehouse"].startswith("postgresql://"):
        from warehouse.engine.postgres import PostgresWarehouse  # noqa: PLC0415

        return PostgresWarehouse
    from warehouse.engine.duckdb import DuckdbWarehouse  # noqa: PLC0415

    return DuckdbWarehouse


def _split_the_commit(Warehouse: Any, reach: Callable[[str], None]) -> None:  # noqa: N803 - a class
    """A planted mistake: the rows are committed before watermark and run are."""
    from warehouse.engine.sql import statement  # noqa: PLC0415

    real = Warehouse.execute

    def execute(self: Any, sql: str, params: object = None) -> None:
        if sql == statement("load/move_watermark"):
            real(self, "commit")
            reach("between two commits")
            real(self, "begin")
        real(self, sql, params)  # type: ignore[arg-type]

    Warehouse.execute = execute  # type: ignore[method-assign]


def _keep_staged(_: Any, __: Callable[[str], None]) -> None:
    """As if it died between its commit and the clearing of its staged pages."""
    from warehouse.load.staging import Staging  # noqa: PLC0415

    real = Staging.begin

    def begin(self: Staging, *args: object) -> None:
        real(self, *args)  # type: ignore[arg-type]
        Staging.clear = Staging.clear_source = lambda _: None  # type: ignore[method-assign]

    Staging.begin = begin  # type: ignore[method-assign]


def _tell_commits(Warehouse: Any, reach: Callable[[str], None]) -> None:  # noqa: N803 - a class
    """A place to die at: the load is committed, and stands in the log alone."""
    real = Warehouse.transaction

    @contextmanager
    def transaction(self: Any, **named: Any) -> Iterator[None]:
        with real(self, **named):
            yield
        reach("committed")

    Warehouse.transaction = transaction  # type: ignore[method-assign]


DEEDS = {"pull": _pull, "migrate": _migrate}
PLANTED = {"split commit": _split_the_commit, "keep staged": _keep_staged, "tell commits": _tell_commits}

if __name__ == "__main__":
    main()
