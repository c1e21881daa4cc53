"""One server, one warehouse and the pulls between them: where every fault of the table is tried.

A scene begins with a warehouse that was loaded before all of its clients were changed, so that a pull has five pages of
changes to read, and something to spoil.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from connector.door.wire import wire
from flows.configuration.values import Settings, Source
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.session.clock import Clock as JobClock
from sandbox.server import running
from tests.engines import Engine, address
from tests.faults.truth import Records, mirrored, promised
from tests.faults.wire import ADDRESS, LOOK, Asked, Clock, Strike, Wire, is_page
from tests.flows.conftest import Server
from warehouse.engine.place import Place

CLIENTS, PAGE, CONNECTIONS = 26, 6, 2
FIRST, MIDDLE, LAST = "first", "middle", "last"
PAGES = (FIRST, MIDDLE, LAST)
DAY = 86400


BEGUN = datetime.now(UTC).replace(microsecond=0)
STANDING = JobClock(now=lambda: BEGUN)
"""A clock of this machine that stands still. A slow answer looks to a pull as if the server's clock had gone back by as
much; then it begins earlier, and asks other questions than the template noted."""


@dataclass(frozen=True)
class Template:
    """Files to begin with: the server's database and the warehouse, and which requests bring which page."""

    database: Path
    warehouse: Place
    pages: Mapping[str, list[Asked]]  # by kind of pull: what brings the data

    def places(self, kind: str) -> dict[str, str]:
        """The requests of the first, the middle and the last page, each with its name."""
        return {page.query: name for name, page in self.chosen(kind).items()}

    def chosen(self, kind: str) -> dict[str, Asked]:
        pages = self.pages[kind]
        assert len(pages) >= 4, "too few pages for a first, a middle and a last one"
        return {FIRST: pages[0], MIDDLE: pages[len(pages) // 2], LAST: pages[-1]}

    def victims(self, kind: str = "changes") -> dict[str, str]:
        """A client that comes first with this page, for each of the three pages."""
        found, known = {}, set()
        for page in self.pages[kind]:
            fresh = [key for key in page.ids if key not in known]
            known |= set(page.ids)
            for name, one in self.chosen(kind).items():
                if one is page:
                    found[name] = fresh[len(fresh) // 2]
        return found


@dataclass
class Scene:
    """A server and a warehouse of one test."""

    server: Server
    place: Place
    template: Template
    stack: ExitStack
    clock: Clock = field(default_factory=Clock)
    job_clock: JobClock = STANDING
    stays: bool = False
    token: str = ""
    door: dict[str, object] = field(default_factory=dict)

    @cached_property
    def sockets(self) -> httpx.HTTPTransport:
        """What the pulls of this scene have in common: the product's own transport."""
        return self.stack.enter_context(wire(only_loopback=True, proxy=None, ca_file=None, clock=self.clock))

    def pull(self, *, full: bool = False, name: str = "main", **line: object) -> tuple[Pulled, Wire]:
        """One real pull over loopback; with a strike where one is given."""
        source = Source(
            url=ADDRESS, page_size=PAGE, requests_per_second=10_000, connections=CONNECTIONS, entities=("clients",)
        )
        settings = Settings(warehouse=address(self.place), publish=False, sources={name: source})
        told = {"requests_per_second": 10_000, **self.door}
        wired = Wire(**{"server": self.server, "clock": self.clock, "sockets": self.sockets, **line})
        token = Secret(self.token or self.server.box.token)
        with Door(
            DoorSettings(ADDRESS, **told), token, transport=wired, clock=self.clock, sleep=self.clock.pass_by,
            random=lambda: 0.5,
        ) as door:  # fmt: skip
            return pull(Job(settings, name, door, full=full, clock=self.job_clock)), wired

    def struck(self, strike: Strike, at: tuple[str, ...], kind: str) -> dict[str, object]:
        """How a pull of this kind is struck at these places."""
        places = {query: name for query, name in self.template.places(kind).items() if name in at}
        if LOOK in at:
            places[LOOK] = LOOK
        return {"strike": strike, "places": places, "stays": self.stays, "full": kind == "full"}

    def struck_in_turn(self, strike: Strike, place: str) -> dict[str, object]:
        """How a pull of changes is struck at the first, middle or last page, counted: its queries may be others."""
        pages = self.template.pages["changes"]
        nth = {FIRST: 0, MIDDLE: len(pages) // 2, LAST: len(pages) - 1}
        return (
            {"strike": strike, "nth": {nth[place]: place}} if place in nth else self.struck(strike, (place,), "changes")
        )

    def truth(self) -> Records:
        """What the server has now, whole again."""
        self.server.switch(faults=[], poison=[], per_page_cap=None)
        self.server.call("POST", "/_sandbox/throttle", {"per_minute": None})
        return promised(self.server.clients().values())

    def mirror(self, source: str = "main") -> Records:
        return mirrored(self.place, source)


def made(folder: Path, engine: Engine) -> Template:
    """The files of the template; two pulls without a fault tell which requests bring which page."""
    database, warehouse = folder / "server.sqlite", engine.new(folder)
    with running(clients=CLIENTS, seed=5, database=database) as box, ExitStack() as stack:
        server = Server(box)
        template = Template(database, warehouse, {})
        _stamp_all(server, time.time() - 20 * DAY)
        Scene(server, warehouse, template, stack).pull()
        _change_all(server)
        _stamp_all(server, time.time() - 10 * DAY)
        pages = {}
        for kind in ("changes", "full"):
            tried = Scene(server, engine.copy(warehouse, folder / kind), template, stack)
            _, wire = tried.pull(full=kind == "full", notes=True)
            pages[kind] = [a for a in wire.log if is_page(a.query) and a.ids]
    return Template(database, warehouse, pages)


@contextmanager
def staged(template: Template, folder: Path, engine: Engine, server: Server | None = None) -> Iterator[Scene]:
    """A scene with a copy of the warehouse, on a shared server or, where the server will change, on its own."""
    with ExitStack() as stack:
        if server is None:
            database = Path(shutil.copy(template.database, folder / "server.sqlite"))
            server = Server(stack.enter_context(running(database=database)))
        place = engine.copy(template.warehouse, folder)
        stack.callback(engine.drop, place)
        yield Scene(server, place, template, stack)


def _stamp_all(server: Server, start: float) -> None:
    """An hour between any two clients: no page ends within a second of several."""
    for number, key in enumerate(server.clients()):
        server.stamp(key, int(start) + 3600 * number)


def _change_all(server: Server) -> None:
    for number, client in enumerate(server.clients().values()):
        money = {"balance": f"{number * 7919 % 9973}.{number:06d}", "paid_to_date": f"{number}.1"}
        server.call("POST", f"/_sandbox/clients/{client['id']}/balances", money)
        if not client["is_deleted"] and not client["archived_at"] and number % 2:
            contacts = [{**contact, "phone": f"+41 {number}"} for contact in client["contacts"]]
            server.edit(client, city=f"Zürich {number}", contacts=contacts)
    server.call("POST", "/api/v1/clients", {"name": "Brand new AG", "contacts": [{"email": "new@example.com"}]})
