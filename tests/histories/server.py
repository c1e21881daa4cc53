"""An Invoice Ninja in this process that changes between any two requests, and what a pull may promise about it.

The sandbox application is called directly, without sockets or threads, so that a history is the same each time it is
played. Whatever changes on the server is found by comparing its rows before and after: each changed client is either
promised to the next pull, or only to the next full one.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Lock
from typing import Any

import httpx
import msgspec

from sandbox.books.accounts import COMPANY_A
from sandbox.php import hashids
from sandbox.server import create_app
from sandbox.store.database import insert, select
from sandbox.store.world import MICROS, Switches
from tests.histories.promise import Promise

URL = "https://ninja.test"
FIRST_LOOK = "?sort=updated_at%7Cdesc&per_page=1"
KINDS = ("clients", "invoices", "payments", "credits")
FIGURES = {
    "invoices": ("status_id", "amount", "balance", "paid_to_date", "is_deleted"),
    "payments": ("status_id", "amount", "applied", "refunded", "is_deleted"),
    "credits": ("status_id", "amount", "balance", "paid_to_date", "is_deleted"),
}
"""What a paper's state is known by, beside its client."""
State = tuple[str, ...]
Json = dict[str, Any]
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Server:
    """The server of one history. Its clock stands still unless somebody moves it; `pace` moves it at each request.

    `advance` lets time pass, for us too; `jump` sets the server's clock alone, by `jumped` seconds in all. A pull
    promises changes by their stamps (`tests.histories.promise`); others stand in `unpromised` until a full pull.
    There is a promise for each kind of records; `states` are all that papers have had between two requests.
    `fates` tells of each client that vanished into which one it was merged, or None; `absent` are those that were away
    at some time since somebody last emptied it.
    """

    def __init__(self, *, now: float, look_back: int, pace: float = 0.0, seed: int = 0) -> None:
        self.app = create_app(clients=0, seed=1, clock=lambda: now)
        self.world, self.box = self.app.state.world, self.app.state.sandbox
        self.rnd = random.Random(seed)  # noqa: S311 - the same each time
        self.world.db.create_function("random", 0, lambda: self.rnd.getrandbits(60))  # the order of a shuffled page
        self.look_back, self.pace = look_back, pace
        self.jumped, self.pulling = 0.0, False
        self.promises = {kind: Promise(look_back) for kind in KINDS}
        self.gone: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self.states: set[State] = set()
        self.fates: dict[str, str | None] = {}
        self.merged: dict[str, str] = {}
        self.absent: set[str] = set()
        self.restored = False
        self.saved: list[bytes] = []

    # what people ask

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request of somebody else, who is not struck by faults, poison or clamps."""
        hindered, self.world.switches = self.world.switches, Switches(timezone=self.world.switches.timezone)
        try:
            status, _, content = self.answer(method, path, b"" if body is None else msgspec.json.encode(body))
        finally:
            self.world.switches = hindered
        return _decoder.decode(content) if status == httpx.codes.OK else None

    def answer(
        self, method: str, target: str, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """The application's answer to one request, without a socket."""
        path, _, query = target.partition("?")
        own = [(b"x-api-token", self.box.token.encode()), (b"x-api-password", self.box.password.encode()),
               (b"x-requested-with", b"XMLHttpRequest"), (b"content-type", b"application/json")]  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "https",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": own if headers is None else headers, "server": ("ninja.test", 443), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        start: Json = {}
        chunks: list[bytes] = []

        async def receive() -> Json:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Json) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                chunks.append(message.get("body", b""))

        _without_waiting(self.app(scope, receive, send))
        return start["status"], start["headers"], b"".join(chunks)

    def clients(self) -> dict[str, Json]:
        """All clients whole, by id."""
        listed = self.call("GET", "/api/v1/clients?per_page=5000&sort=id%7Casc")
        return {client["id"]: client for client in listed["data"]}

    def papers(self, kind: str) -> dict[str, Json]:
        """All records of a kind, whole, by id."""
        listed = self.call("GET", f"/api/v1/{kind}?per_page=5000&sort=id%7Casc")
        return {record["id"]: record for record in listed["data"]}

    def ids(self, kind: str = "clients") -> list[str]:
        """The ids of all records of a kind, in the order in which they were made."""
        found = self.world.db.execute(f"SELECT id FROM {kind} WHERE company_id = ? ORDER BY id", (COMPANY_A,))
        return [hashids.encode(number) for (number,) in found]

    def insert(self, count: int, *, apart: float = 0.0) -> None:
        """Plain clients, straight into the database: one contact each, `apart` seconds between their stamps."""
        last = self.world.db.execute("SELECT coalesce(max(id), 0) FROM clients").fetchone()[0]
        for number in range(last + 1, last + count + 1):
            stamp = self.world.clock.stamp() - round((last + count - number) * apart * MICROS)
            own = {"company_id": COMPANY_A, "user_id": 1, "created_at": stamp, "updated_at": stamp}
            row = {"name": f"Client {number}", "number": f"{number:04d}", "client_hash": f"h{number}", "settings": "{}"}
            key = insert(self.world.db, "clients", {**own, **row, "id": number, "balance": str(number)})
            contact = {"client_id": key, "email": f"c{number}@example.com", "contact_key": f"k{number}"}
            insert(self.world.db, "contacts", {**own, **contact, "is_primary": 1})

    def add_document(self, client: int, name: str, stamp: int) -> None:
        """A document that somebody uploaded."""
        own = {"company_id": COMPANY_A, "user_id": 1, "client_id": client, "created_at": stamp, "updated_at": stamp}
        insert(self.world.db, "documents", {**own, "name": name, "type": "pdf", "hash": f"h{stamp}", "size": len(name)})

    # what changes, and what of it is promised

    @property
    def now(self) -> float:
        """The server's clock, in unix seconds."""
        return self.world.clock.now()

    @property
    def promise(self) -> Promise:
        """What a pull promises to see of clients."""
        return self.promises["clients"]

    @property
    def unpromised(self) -> set[str]:
        """The clients that changed in a way that only a full pull promises to see."""
        return self.promise.unpromised

    @property
    def any_unpromised(self) -> bool:
        """Whether any record changed in such a way."""
        return any(promise.unpromised for promise in self.promises.values())

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.moved_by += seconds

    def jump(self, seconds: float) -> None:
        """Set the server's clock, on or back, while no time passes."""
        self.advance(seconds)
        self.jumped += seconds

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Find out what changes meanwhile: the next pull promises it, or does not."""
        before = {kind: self._rows(kind) for kind in KINDS}
        yield
        for kind, known in before.items():
            after = self._rows(kind)
            for key in known.keys() | after.keys():
                if known.get(key) == after.get(key):
                    continue
                if kind == "clients":
                    self._note_fate(key, there=key in after)
                elif key not in after:
                    self.gone[kind].add(key)
                self.promises[kind].changed(key, (after[key][0] or 0) / MICROS if key in after else None)

    def _note_fate(self, key: str, *, there: bool) -> None:
        if there:
            self.fates.pop(key, None)
        else:
            self.fates[key] = self.merged.pop(key, None)
            self.absent.add(key)

    def ends(self, key: str) -> list[str]:
        """Into which clients one that vanished was merged, one after the other; none where it is just gone."""
        found: list[str] = []
        while (into := self.fates.get(found[-1] if found else key)) is not None:
            found.append(into)
        return found

    def _rows(self, kind: str) -> dict[str, tuple[Any, ...]]:
        """Stamp and content of every record of a kind with what belongs to it."""
        if kind != "clients":
            return self._paper_rows(kind)
        parts: dict[int, list[Any]] = {}
        for row in select(self.world.db, "clients", "company_id = ?", (COMPANY_A,)):
            parts[row["id"]] = [row["updated_at"], tuple(row.values())]
        for table in ("contacts", "documents"):
            for row in select(self.world.db, table, "company_id = ? AND deleted_at IS NULL ORDER BY id", (COMPANY_A,)):
                if row["client_id"] in parts:
                    parts[row["client_id"]].append(tuple(row.values()))
        return {hashids.encode(number): tuple(found) for number, found in parts.items()}

    def _paper_rows(self, kind: str) -> dict[str, tuple[Any, ...]]:
        found = {}
        for row in select(self.world.db, kind, "company_id = ?", (COMPANY_A,)):
            key, uses = hashids.encode(row["id"]), []
            if kind == "payments":
                uses = [
                    tuple(use.values()) for use in select(self.world.db, "paymentables", "payment_id = ?", (row["id"],))
                ]
            found[key] = (row["updated_at"], *row.values(), *uses)
            figures = [str(Decimal(str(row[name])).normalize()) for name in FIGURES[kind]]
            self.states.add((kind, key, hashids.encode(row["client_id"]), *figures))
        return found

    def save(self) -> None:
        """Make a backup of the server's database."""
        self.saved.append(self.world.db.serialize())

    def restore(self, which: int) -> None:
        """Put a backup back: ids that were given since are given once more, to others."""
        self.restored = True
        self.world.db.deserialize(self.saved[which])
        self.world.totals.clear()


def _without_waiting(answering: Any) -> None:
    """Run a coroutine that never waits for anything to its end."""
    try:
        answering.send(None)
    except StopIteration:
        return
    answering.close()
    raise AssertionError("the sandbox waited for something")


class Wire(httpx.BaseTransport):
    """The door's way to the server; `before` is called with the number of each request, from 1; `here` is our clock.

    One request at a time, with what happens before it: that reads the server's database directly, and SQLite calls back
    into Python for its collations, so a second thread in there would wait for the first for ever.
    """

    def __init__(
        self,
        server: Server,
        before: Callable[[int], None] = lambda _: None,
        here: Callable[[], float] | None = None,
    ) -> None:
        self.server, self.before, self.count, self.turn = server, before, 0, Lock()
        self.here = here or (lambda: server.now)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.turn:
            return self._handled(request)

    def _handled(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        self.server.advance(self.server.pace)
        self.before(self.count)
        target = request.url.raw_path.decode("ascii")
        path, _, query = target.rpartition("/")[2].partition("?")
        if f"?{query}" == FIRST_LOOK:
            self.server.promises[path].looked(self.server.now, self.here())
        try:
            status, headers, body = self.server.answer(request.method, target, request.read(), list(_lower(request)))
        except ConnectionResetError as problem:
            raise httpx.ReadError(str(problem)) from None
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def _lower(request: httpx.Request) -> Iterator[tuple[bytes, bytes]]:
    return ((name.lower(), value) for name, value in request.headers.raw)
