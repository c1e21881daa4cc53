"""The state machine: pulls of the real code from the real sandbox, which changes between any two of their requests.

A history is what happens up to a quiet pull, after which the mirror is the server: changes, pulls under fire, pulls
that are cut off. Several follow each other in one world, a server with a warehouse. hypothesis draws what happens, and
makes a failure as short as it can.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from connector.scan import chain, side_by_side
from connector.scan.pages import Page
from flows.configuration.values import Settings, Source
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.session.clock import Clock
from schemas.errors import ApiError, DataError
from tests.connector.scan.changing_server import by_chance
from tests.engines import Engine, Files, address
from tests.histories.changes import CAPS, ZONES, Change, changes, happen, heal, moods, plans
from tests.histories.mirror import (
    differences,
    impossible_states,
    mirrored,
    paper_differences,
    row_hash,
    wrong_balances,
    wrong_redirects,
)
from tests.histories.quick import forget
from tests.histories.server import KINDS, URL, Server, Wire
from warehouse.engine.place import Place

MOMENTS = (1_790_000_000.25, 1_793_512_800.0 - 2000)
"""An ordinary one, and half an hour before New York's clocks go back."""
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, fsync costs nothing there
FAST = 1_000_000.0
EVERYBODY = 1_000_000
"""How many clients a run may take out where somebody has said that they are to go."""

tally: Counter[str] = Counter()
"""What the histories of this process came to, for the figures that the long run prints."""


CONTINUES = chain._continues

hashes: list[str] = []
"""The hash of all rows at the end of each history: on both engines the same ones, in the same order."""
_engines: list[Engine] = [Files()]


def engine() -> Engine:
    """What makes the warehouses of the histories that are played now."""
    return _engines[-1]


@contextmanager
def played_on(other: Engine) -> Iterator[None]:
    """The histories inside have warehouses of this engine."""
    _engines.append(other)
    bound_warehouse.cache_clear()
    try:
        yield
    finally:
        _engines.pop()
        bound_warehouse.cache_clear()


@dataclass(frozen=True)
class Terms:
    """What stays the same in a history. Stamps of the first clients are `apart` seconds.

    With `papers` there are invoices, payments and credits too. `skewed` is by how much our own clock is wrong; on
    `one_host` it is the server's, and jumps with it.
    """

    rows: int
    apart: float
    page_size: int
    connections: int
    look_back: int
    pace: float
    cap: int
    zone: str
    moment: float
    skewed: int
    one_host: bool
    sweep_days: int
    virgin: bool
    loaded: bool
    seed: int
    mood: list[str]
    orderly: bool
    papers: bool = False


def terms(kinds: Sequence[str] = ("", "", "orderly", "massive", "papers")) -> st.SearchStrategy[Terms]:
    """Small worlds, in which everything meets everything; in massive ones, many clients change in one second."""
    return st.sampled_from(kinds).flatmap(_terms)


def _terms(kind: str) -> st.SearchStrategy[Terms]:
    orderly, massive, papers = kind == "orderly", kind == "massive", kind == "papers"
    return st.builds(
        Terms,
        rows=st.sampled_from((25, 40, 60) if massive else (8, 0, 1, 3, 12, 25, 40)),
        apart=st.sampled_from((0.0, 0.0, 0.3, 40.0, 3000.0)),
        page_size=st.sampled_from((2, 3, 4, 7, 20)),
        connections=st.sampled_from((1, 2, 4)),
        look_back=st.sampled_from((60, 7200)),
        pace=st.sampled_from((0.0, 0.25, 1.0)),
        cap=st.sampled_from((8, 13, 20, 5) if massive else (5000, 5000, *CAPS)),
        zone=st.sampled_from(("UTC", *ZONES)),
        moment=st.sampled_from(MOMENTS),
        skewed=st.sampled_from((0, 0, -80_000, 80_000, 10_000_000)),
        one_host=st.sampled_from((False, False, True)),
        sweep_days=st.sampled_from((7, 1, 0)),
        virgin=st.sampled_from((False, False, False, True)),
        loaded=st.sampled_from((True, True, False)),
        seed=st.integers(0, 3),
        mood=moods(orderly=orderly, massive=massive, papers=papers),
        orderly=st.just(orderly),
        papers=st.just(papers),
    )


class Histories(RuleBasedStateMachine):
    """One server, one warehouse, and what happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history-", dir=MEMORY if MEMORY.is_dir() else None))
        self.server: Server | None = None
        self.eventful = False
        self.kinds: tuple[str, ...] = ("clients",)
        self.known: dict[str, set[str]] = {}
        self.braked: dict[str, bool] = {}
        self.moments: list[tuple[float, dict[str, Any]]] = []

    @initialize(given=terms())
    def begin(self, given: Terms) -> None:
        """The server with its first clients, and a warehouse that is new or was bound while there were none."""
        tally["worlds"] += 1
        self.orderly, self.change = given.orderly, changes(given.mood, orderly=given.orderly)
        self.kinds = KINDS if given.papers else KINDS[:1]
        server = Server(now=given.moment, look_back=given.look_back, pace=given.pace, seed=given.seed)
        server.insert(given.rows, apart=given.apart)
        server.world.switches.per_page_cap, server.world.switches.timezone = given.cap, given.zone
        source = Source(
            url=URL,
            page_size=given.page_size,
            connections=given.connections,
            look_back=given.look_back,
            sweep_days=given.sweep_days,
            requests_per_second=FAST,
            entities=self.kinds,
        )
        if given.virgin:
            self.place = engine().new(self.folder)
        else:
            self.place = engine().copy(bound_warehouse(), self.folder)
        self.settings = Settings(warehouse=address(self.place), publish=False, sources={"main": source})
        self.here = lambda: server.now + given.skewed - (0 if given.one_host else server.jumped)
        self.clock = Clock(now=lambda: datetime.fromtimestamp(self.here(), UTC))
        self.together, self.server = by_chance(server.rnd), server
        if given.loaded:
            self._pull(self._wire(), full=False)

    @rule(
        data=st.data(),
        full=st.sampled_from((False, False, False, True)),
        quiet=st.sampled_from((False, True)),
        passing=st.sampled_from((0.0, 0.5, 100.0, 10_000.0, 100_000.0)),
        thorough=st.booleans(),
    )
    def go_on(self, data: st.DataObject, *, full: bool, quiet: bool, passing: float, thorough: bool) -> None:
        """Something happens while nobody pulls, then while somebody does; and perhaps nothing happens for a while."""
        for one in data.draw(st.lists(self.change, max_size=3)):
            happen(self.office, one)
        note(self.pull_under_fire(data.draw(plans(self.change)), full=full))
        if quiet:
            self.check(passing, thorough=thorough)

    def pull_under_fire(self, plan: list[tuple[int, Change]], *, full: bool = False) -> str:
        """A pull while things happen. It may end with an error that says so; then nothing was stored."""
        due: dict[int, list[Change]] = {}
        number = 1
        for wait, one in plan:
            number += wait
            due.setdefault(number, []).append(one)

        def strike(number: int) -> None:
            for one in due.get(number, ()):
                happen(self.office, one)

        wire = self._wire(strike)
        self.eventful = True
        self.office.pulling = True
        try:
            done = self._pull(wire, full=full)
        except KeyboardInterrupt:
            told = "pulls cut off"
        except (ApiError, DataError) as problem:
            told = f"pulls stopped by {type(problem).__name__}"
        else:
            told = f"pulls under fire ({done.run.kind})"
        finally:
            self.office.pulling = False
        tally[told] += 1
        return f"{told}, {wire.count} requests"

    def teardown(self) -> None:
        """The end of every history is a quiet pull."""
        try:
            if self.server is not None:
                self.check(0.0, thorough=True)
                hashes.append(row_hash(self.place))
                told = impossible_states(self.place, self.server)
                assert not told, "; ".join(told)
                for moment, balances in self.moments:
                    told = wrong_balances(self.place, moment, balances)
                    assert not told, "; ".join(told)
        finally:
            if self.server is not None:
                self.server.world.db.close()
                forget(self.place)
                engine().drop(self.place)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def office(self) -> Server:
        """The server, which is there from the first step on."""
        assert self.server is not None
        return self.server

    def check(self, passing: float, *, thorough: bool) -> None:
        """Pull quietly, and compare; once more in full where changes were made that only this promises to see."""
        server = self.office
        with server.changing():
            server.advance(passing)
            heal(server)
            server.world.switches.faults.clear()
        pulled = self._pull(self._wire(), full=False)
        self._compare(pulled, ghosts={kind for kind in self.kinds if server.promises[kind].unpromised})
        while thorough and server.any_unpromised:
            pulled = self._pull(self._wire(), full=True)
            if not any("interrupted" in told for part in pulled.parts for told in part.notes):
                for promise in server.promises.values():
                    promise.unpromised.clear()
                self._compare(pulled)
        if thorough and any(self.braked.values()) and server.ids():  # an emptied server is never believed
            tally["told to take out what is left"] += 1
            self._compare(self._pull(self._wire(), full=True, at_most=EVERYBODY))
        tally["histories"] += self.eventful
        self.eventful = False
        if self.orderly and mirrored(self.place) == set(server.ids()):
            self.moments.append((server.now, {key: one["balance"] for key, one in server.clients().items()}))
            server.advance(1.0)

    def _compare(self, pulled: Pulled, *, ghosts: Collection[str] = ()) -> None:
        """The mirror beside the server. Records are left in it only where a pull said that it leaves them."""
        place, server = self.place, self.office
        left = {kind for kind in self.kinds if kind in ghosts or self.braked.get(kind)}
        told = differences(place, server, ghosts="clients" in left)
        for kind in self.kinds[1:]:
            told += paper_differences(place, server, kind, ghosts=bool(left))
        if not server.restored:
            told += wrong_redirects(place, server, tally)
        assert not told, f"after a quiet {pulled.run.kind} pull: " + "; ".join(told)

    def _wire(self, strike: Callable[[int], None] = lambda _: None) -> Wire:
        return Wire(self.office, strike, self.here)

    def _pull(self, wire: Wire, *, full: bool, at_most: int | None = None) -> Pulled:
        """One pull, which never takes out a client that the server has had all the time."""
        server = self.office
        server.absent = set(server.fates)
        server.gone = {kind: self.known.get(kind, set()) - set(server.ids(kind)) for kind in KINDS}
        with pytest.MonkeyPatch.context() as patched:  # threads would not come out the same each time
            patched.setattr(side_by_side, "side_by_side", self.together)
            patched.setattr(chain, "_continues", _counted)
            try:
                done = pulled(self.settings, wire, full=full, at_most=at_most, clock=self.clock)
            except BaseException:
                for kind in self.kinds:
                    server.promises[kind].failed()
                raise
        for part in done.parts:
            kind = part.run.entity
            server.promises[kind].pulled(loaded=part.run.kind != "idle")
            now = mirrored(self.place, kind)
            absent = server.absent if kind == "clients" else server.gone[kind]
            wronged = (self.known.get(kind, set()) - now) & set(server.ids(kind)) - absent
            assert not wronged, f"{kind} taken out although the server has them: {sorted(wronged)}"
            self.known[kind] = now
            self.braked[kind] = bool(part.held) or (self.braked.get(kind, False) and part.run.kind != "full")
        return done


class MassChanges(Histories):
    """Only worlds in which many clients change in one second."""

    @initialize(given=terms(("massive",)))
    def begin(self, given: Terms) -> None:
        """As above."""
        super().begin(given=given)


class Papers(Histories):
    """Only worlds with invoices, payments and credits."""

    @initialize(given=terms(("papers",)))
    def begin(self, given: Terms) -> None:
        """As above."""
        super().begin(given=given)


def _counted(page: Page, known: set[str], began: int) -> bool:
    """Whether a page of a walk continues it; these are what mass changes are for."""
    continues = CONTINUES(page, known, began)
    tally[f"pages of walks that {'go on' if continues else 'go back'}"] += 1
    return continues


def pulled(settings: Settings, wire: Wire, *, full: bool = False, at_most: int | None = None, clock: Clock) -> Pulled:
    """One pull of the real code over this wire."""
    door = DoorSettings(URL, requests_per_second=FAST)
    with Door(door, Secret(wire.server.box.token), transport=wire, sleep=lambda _: None) as opened:
        return pull(Job(settings, "main", opened, full=full, at_most=at_most, clock=clock))


@cache
def bound_warehouse() -> Place:
    """A warehouse of the company while it had no clients: what every history would spend a third of its time on."""
    folder = Path(tempfile.mkdtemp(prefix="history-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = Server(now=MOMENTS[0], look_back=0)
    place = engine().new(folder)
    settings = Settings(warehouse=address(place), publish=False, sources={"main": Source(url=URL, entities=KINDS)})
    pulled(settings, Wire(server), clock=Clock(now=lambda: datetime.fromtimestamp(server.now, UTC)))
    forget(place)
    return place
