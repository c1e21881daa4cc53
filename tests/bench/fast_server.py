"""A server as fast as Python gets: pages are cut out of a file that was rendered before. For `make bench`.

It answers what a pull asks of Invoice Ninja, and nothing else: lists of clients and, if they are asked for, of
invoices, payments and credits. It knows `page`, `per_page`, `updated_at`, `client_id` and `sort`; ids have no order of
their own here, so every ascending list comes in the order of the stamps, which is as steady. A throttle makes it as
slow as a real server: php-fpm with four workers was measured at 1,800 clients a second on one connection, and at 3,700
on four.

    python -m tests.bench.fast_server FOLDER [--one 1800 --all 3700]     the first line that it prints is its address
"""

from __future__ import annotations

import argparse
import asyncio
import json
import mmap
import random
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from email.utils import formatdate
from pathlib import Path
from subprocess import PIPE, Popen
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from sandbox.server import running
from tests.bench.crowd import MICROS, Truth, number_of
from tests.bench.documents import EACH, DocumentTruth

CLIENTS = "clients"
PAGE, MOST = 20, 5000
WORKERS = 4
_BALANCE = re.compile(rb'"balance":([-0-9.]+)')


@dataclass(frozen=True)
class Throttle:
    """Clients a second on one connection, and in all; None is as fast as it goes."""

    one: float | None = None
    all: float | None = None


class Shelf:
    """All records of one kind, and the order in which they stand."""

    def __init__(self, folder: Path, kind: str = CLIENTS) -> None:
        self.kind, form = kind, Truth if kind == CLIENTS else DocumentTruth
        self.truth: Truth | DocumentTruth = form(**json.loads((folder / "truth.json").read_text()))
        with (folder / "records.bin").open("rb") as file:
            self._file = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self._places = np.load(folder / "places.npy")
        self.stamps = np.load(folder / "stamps.npy")
        self.order = np.arange(len(self.stamps))
        self._changed: dict[int, bytes] = {}

    def first_at(self, stamp: int) -> int:
        """The place in the order of the first record stamped at or after `stamp`."""
        return int(np.searchsorted(self.stamps, stamp))

    def cut(self, first: int, last: int) -> list[bytes | memoryview]:
        """The records of places `first` to `last`, as few pieces as they are; the comma at their end is left out."""
        numbers = self.order[first:last]
        if not len(numbers):
            return []
        if int(numbers[-1]) - int(numbers[0]) == len(numbers) - 1 and not self._changed:
            pieces: list[bytes | memoryview] = [
                self._file[int(self._places[numbers[0]]) : int(self._places[numbers[-1] + 1])]
            ]
        else:
            pieces = [self.record(int(number)) for number in numbers]
        return [*pieces[:-1], pieces[-1][:-1]]

    def record(self, number: int) -> bytes | memoryview:
        """One record, with the comma behind it."""
        found = self._changed.get(number)
        return self._file[int(self._places[number]) : int(self._places[number + 1])] if found is None else found

    def of_client(self, number: int) -> np.ndarray:
        """The places of a client's records: itself, or its documents, which go round all clients."""
        return np.flatnonzero(self.order % self.truth.clients == number)

    def change(self, count: int, now: int) -> Truth | DocumentTruth:
        """Give `count` records another balance and the stamp `now`. The new truth."""
        chance, balance = random.Random(f"{now} {count}"), self.truth.balance  # noqa: S311 - believable data
        numbers = sorted(chance.sample(range(len(self.order)), min(count, len(self.order))))
        for number in numbers:
            record, found = bytes(self.record(number)), 7 + chance.randrange(1000)
            balance += found * MICROS - int(Decimal(_BALANCE.search(record)[1].decode()) * MICROS)  # type: ignore[index]
            record = _BALANCE.sub(b'"balance":%d' % found, record)
            self._changed[number] = re.sub(rb'"updated_at":\d+', b'"updated_at":%d' % now, record)
        places = np.flatnonzero(np.isin(self.order, numbers))
        self.order = np.append(np.delete(self.order, places), numbers)
        self.stamps = np.append(np.delete(self.stamps, places), np.full(len(numbers), now))
        self.truth = replace(self.truth, balance=balance)
        return self.truth


class Answers:
    """What is answered to a request: a status and the pieces of a body. How many rows it holds decides how long."""

    def __init__(self, *shelves: Shelf) -> None:
        self._shelves, self._fixed = {shelf.kind: shelf for shelf in shelves}, _fixed()

    def to(self, method: str, target: str) -> tuple[int, int, list[bytes | memoryview]]:
        """(status, rows, pieces)."""
        url = urlsplit(target)
        path = url.path.removeprefix("/api/v1")
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if (method, path) in self._fixed:
            return 200, 0, [self._fixed[method, path]]
        if path == "/_bench/change":
            shelf = self._shelves[asked["kind"]]
            return 200, 0, [json.dumps(asdict(shelf.change(int(asked["rows"]), int(time.time())))).encode()]
        _, kind, *rest = path.split("/", 2)
        if kind not in self._shelves:
            return 404, 0, [b'{"message":"Not found"}']
        shelf = self._shelves[kind]
        if not rest:
            return 200, *_listed(shelf, asked)
        number = number_of(unquote(rest[0]))
        if number is None or not 0 <= number < len(shelf.order):
            model = kind.capitalize().removesuffix("s").encode()
            return 400, 0, [b'{"message":"No query results for model [App\\\\Models\\\\%s]."}' % model]
        return 200, 1, [b'{"data":', shelf.record(number)[:-1], b"}"]


def _listed(shelf: Shelf, asked: dict[str, str]) -> tuple[int, list[bytes | memoryview]]:
    size = min(int(asked.get("per_page", PAGE)), MOST)
    first = shelf.first_at(int(asked["updated_at"])) if asked.get("updated_at") else 0
    places: Sequence[int] = range(first, len(shelf.order))
    if "client_id" in asked:
        number = number_of(asked["client_id"])
        places = [] if number is None else [int(at) for at in shelf.of_client(number) if at >= first]
    total, page = len(places), int(asked.get("page", 1))
    if asked.get("sort", "").endswith("|desc"):
        places = places[::-1]
    places = places[(page - 1) * size : page * size]
    if len(places) > 1 and places[-1] - places[0] == len(places) - 1:
        pieces = shelf.cut(places[0], places[-1] + 1)
    else:
        pieces = [piece for at in places for piece in (*shelf.cut(at, at + 1), b",")][:-1]
    pagination = {
        "total": total, "count": len(places), "per_page": size, "current_page": page,
        "total_pages": -(-total // size), "links": {},
    }  # fmt: skip
    meta = json.dumps({"pagination": pagination}, separators=(",", ":")).encode()
    return len(places), [b'{"data":[', *pieces, b'],"meta":', meta, b"}"]


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other."""

    def __init__(self, answers: Answers, gate: Gate) -> None:
        self._answers, self._gate, self._read = answers, gate, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, rest = self._read.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if not end or len(rest) < length:
            return
        self._read = rest[length:]
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        status, rows, pieces = self._answers.to(method, target)
        self._gate.after(rows, lambda: self._send(status, pieces))

    def _send(self, status: int, pieces: list[bytes | memoryview]) -> None:
        head = (
            f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nX-APP-VERSION: 5.10.42\r\n"
            f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n"
        )
        if not self._transport.is_closing():
            self._transport.writelines([head.encode(), *pieces])


class Gate:
    """Lets answers go at the pace of the throttle: each as if on a worker of its own, all as if on one machine."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle, self._all_due, self._due = throttle, 0.0, [0.0] * WORKERS

    def after(self, rows: int, send: Callable[[], None]) -> None:
        """Call `send` when the answer would be ready."""
        if not (rows and self._throttle.one):
            send()
            return
        loop = asyncio.get_running_loop()
        loop.call_at(self.ready(rows, loop.time()), send)

    def ready(self, rows: int, now: float) -> float:
        """When an answer of so many rows, asked for at `now`, is ready."""
        assert self._throttle.one
        assert self._throttle.all
        worker = self._due.index(min(self._due))
        self._all_due = max(self._all_due, now) + rows / self._throttle.all
        self._due[worker] = max(max(self._due[worker], now) + rows / self._throttle.one, self._all_due)
        return self._due[worker]


def _fixed() -> dict[tuple[str, str], bytes]:
    """The sandbox's own answers for everything that is not a client."""
    found = {}
    with running(clients=3, seed=5) as box:
        for method, path in (("GET", "/statics"), ("GET", "/group_settings"), ("POST", "/companies/current")):
            url = f"{box.url}/api/v1{path}"
            asked = urllib.request.Request(url, method=method, headers={"X-API-TOKEN": box.token})  # noqa: S310
            with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own server
                found[method, path] = answer.read()
    return found


@contextmanager
def serving(folder: Path, throttle: Throttle = Throttle(), *, documents: bool = False) -> Iterator[str]:
    """A server of these files in a process of its own, with documents if they are asked for; its address."""
    command = [sys.executable, "-m", "tests.bench.fast_server", str(folder)]
    if throttle.one and throttle.all:
        command += ["--one", str(throttle.one), "--all", str(throttle.all)]
    command += ["--documents"] if documents else []
    with Popen(command, stdout=PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def change(url: str, rows: int) -> Truth:
    """Let `rows` clients change on the server; the new truth."""
    return Truth(**_change(url, rows, CLIENTS))


def change_documents(url: str, rows: int, kind: str) -> DocumentTruth:
    """Let `rows` documents of a kind change on the server; the new truth."""
    return DocumentTruth(**_change(url, rows, kind))


def _change(url: str, rows: int, kind: str) -> dict[str, int]:
    asked = f"{url}/_bench/change?rows={rows}&kind={kind}"
    with urllib.request.urlopen(asked, data=b"") as answer:  # noqa: S310 - our own server
        truth: dict[str, int] = json.loads(answer.read())
        return truth


async def _serve(shelves: Sequence[Shelf], throttle: Throttle) -> None:
    answers, gate = Answers(*shelves), Gate(throttle)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answers, gate), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until terminated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--one", type=float)
    parser.add_argument("--all", type=float)
    parser.add_argument("--documents", action="store_true")
    asked = parser.parse_args()
    kinds = [kind for kind in EACH if (asked.folder / kind / "truth.json").exists()] if asked.documents else []
    shelves = [Shelf(asked.folder), *(Shelf(asked.folder / kind, kind) for kind in kinds)]
    asyncio.run(_serve(shelves, Throttle(asked.one, asked.all)))


if __name__ == "__main__":
    main()
