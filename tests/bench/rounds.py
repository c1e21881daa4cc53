"""The rounds of the bench: which programs take turns, on which server, with how many clients."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import programs
from tests.bench.crowd import Truth
from tests.bench.documents import EACH, INVOICES, DocumentTruth
from tests.bench.fast_server import Throttle, change, change_documents, serving
from tests.bench.figures import CHANGED, DOCUMENTS, FAST, MASS, REAL, Figure
from tests.bench.measured import Measured
from tests.bench.programs import CONNECTIONS, DUCKDB, POSTGRES, Site, Store, new_store
from tests.postgres import Cluster

UNTHROTTLED, AS_REAL = Throttle(), Throttle(one=1800, all=3700)
CHANGES = 3
"""Pulls of a few changes are repeated this often, however many clients there are: they are short."""
MASS_SHARE = 0.4
"""The part of all clients that changes in one second in a mass change."""


@dataclass(frozen=True)
class Bench:
    """What is measured, how often, and where files are kept from one run to the next."""

    folder: Path
    page_size: int
    engines: tuple[str, ...]
    cluster: Cluster | None
    peers: Path | None
    peer_most: int
    pairs: int
    """How often an idle pull and its imports take turns."""

    repeats: int | None = None

    def times(self, clients: int) -> int:
        """How often a program is run with so many clients."""
        return self.repeats or (3 if clients <= 100_000 else 1)


@dataclass
class Notebook:
    """The runs of one round as they come, each said on the standard error output."""

    speed: str
    clients: int
    runs: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)

    def note(self, run: Measured, name: str, engine: str = "") -> None:
        """Keep a run."""
        self.runs.setdefault((name, engine), []).append(run)
        label = Figure(self.speed, self.clients, name, engine, ()).label
        took = f"{run.seconds:8.2f} s{run.cpu:8.2f} s CPU{run.peak_mb:6.0f} MB"
        print(f"{time.strftime('%H:%M:%S')}{self.clients:>10,} {self.speed:<10}{label:<46}{took}", file=sys.stderr)

    def figures(self) -> list[Figure]:
        """What the round has measured."""
        return [
            Figure(self.speed, self.clients, name, engine, tuple(replace(run, output="") for run in runs))
            for (name, engine), runs in self.runs.items()
        ]


def fast_round(bench: Bench, clients: int) -> list[Figure]:
    """Everything on a server that is as fast as it goes: full pulls, idle ones, a few changes, copies, the peers."""
    book = Notebook(FAST, clients)
    with _site(bench, clients, UNTHROTTLED) as (site, folder), ExitStack() as kept:
        stores = _full(bench, site, folder, book, kept)
        _idle(bench, site, book, stores)
        changed = _changed(site, book, stores)
        if DUCKDB in stores:
            for _ in range(bench.times(clients)):
                book.note(programs.publish(changed, stores[DUCKDB]), "publish", DUCKDB)
        if POSTGRES in stores:
            for run in programs.thirty_days(changed, stores[POSTGRES], bench.times(clients)):
                book.note(run, "days", POSTGRES)
    return book.figures()


def documents_round(bench: Bench, clients: int) -> list[Figure]:
    """Full pulls of clients with their documents, idle pulls, and a few changed invoices."""
    book = Notebook(DOCUMENTS, clients)
    with _site(bench, clients, UNTHROTTLED, documents=True) as (site, folder), ExitStack() as kept:
        stores = _full(bench, site, folder, book, kept, with_peers=False)
        _idle(bench, site, book, stores)
        _changed(site, book, stores)
    return book.figures()


def real_round(bench: Bench, clients: int, *, with_peers: bool) -> list[Figure]:
    """Full pulls from a server of real speed, beside the bare fetch on four connections."""
    book = Notebook(REAL, clients)
    with _site(bench, clients, AS_REAL) as (site, folder):
        _fetch_and_pull(bench, site, folder, book)
        if with_peers:
            _peers(bench, site, folder, book)
    return book.figures()


def mass_round(bench: Bench, clients: int) -> list[Figure]:
    """First pulls, at real speed, of clients that changed in one second in large part, beside the bare fetch."""
    book = Notebook(MASS, clients)
    with _site(bench, clients, AS_REAL) as (site, folder):
        changed = replace(site, truth=change(site.url, int(clients * MASS_SHARE)))
        _fetch_and_pull(bench, changed, folder, book)
    return book.figures()


def _full(
    bench: Bench, site: Site, folder: Path, book: Notebook, kept: ExitStack, *, with_peers: bool = True
) -> dict[str, Store]:
    """Fetch and pull everything, in turns with dlt. The warehouses of the last turn are kept."""
    stores = {}
    times = bench.times(book.clients)
    for turn in range(times):
        book.note(programs.fetch(site, folder, 1), "floor")
        for engine in bench.engines:
            with ExitStack() as stack:
                store = stack.enter_context(new_store(engine, folder, bench.cluster))
                book.note(programs.pull(site, store), "pull", engine)
                if engine == DUCKDB:
                    book.note(programs.copies(store), "copies", engine)
                if turn == times - 1:
                    stores[engine] = store
                    kept.push(stack.pop_all())
            if with_peers:
                _dlt(bench, site, folder, book, engine)
    if with_peers:
        _airbyte(bench, site, folder, book)
    return stores


def _idle(bench: Bench, site: Site, book: Notebook, stores: dict[str, Store]) -> None:
    """Idle pulls, in turns with their imports."""
    for engine, store in stores.items():
        for _ in range(bench.pairs):
            book.note(programs.idle_floor(store), "imports", engine)
            book.note(programs.pull(site, store), "idle", engine)


def _fetch_and_pull(bench: Bench, site: Site, folder: Path, book: Notebook) -> None:
    """The bare fetch and first pulls, in turns."""
    for _ in range(bench.times(book.clients)):
        book.note(programs.fetch(site, folder, CONNECTIONS), "fetch")
        for engine in bench.engines:
            with new_store(engine, folder, bench.cluster) as store:
                book.note(programs.pull(site, store), "pull", engine)


def _changed(site: Site, book: Notebook, stores: dict[str, Store]) -> Site:
    """Pulls of a few changes, with copies for readers if they are due, and without. Returns the site as it then is.

    Clients change, or invoices if the site has documents.
    """
    for publish in (True, False) * CHANGES:
        if site.documents:
            after = change_documents(site.url, CHANGED, INVOICES)
            site = replace(site, documents={**site.documents, INVOICES: after})
        else:
            site = replace(site, truth=change(site.url, CHANGED))
        for engine, store in stores.items():
            without = engine == DUCKDB and not publish  # on Postgres there are no copies
            name = "changed, no copies" if without else "changed"
            book.note(programs.pull(site, store, publish=publish), name, engine)
    return site


def _peers(bench: Bench, site: Site, folder: Path, book: Notebook) -> None:
    """Each peer once."""
    for engine in bench.engines:
        _dlt(bench, site, folder, book, engine)
    _airbyte(bench, site, folder, book)


def _dlt(bench: Bench, site: Site, folder: Path, book: Notebook, engine: str) -> None:
    if bench.peers and book.clients <= bench.peer_most:
        with new_store(engine, folder, bench.cluster) as store:
            book.note(programs.dlt(site, store, bench.peers), "dlt", engine)


def _airbyte(bench: Bench, site: Site, folder: Path, book: Notebook) -> None:
    if bench.peers and book.clients <= bench.peer_most:
        book.note(programs.airbyte(site, folder, bench.peers), "airbyte")


@contextmanager
def _site(bench: Bench, clients: int, throttle: Throttle, *, documents: bool = False) -> Iterator[tuple[Site, Path]]:
    """A server of so many clients, with documents if asked for, and a folder for what is made of them."""
    files = bench.folder / str(clients)
    for module in ("crowd", "documents") if documents else ("crowd",):
        made = f"import sys; from pathlib import Path; from tests.bench.{module} import made"
        # In a process of its own: this one must stay small, or its memory is counted in.
        script = f"{made}; made(Path(sys.argv[1]), int(sys.argv[2]))"
        subprocess.run([sys.executable, "-c", script, files, str(clients)], check=True, cwd=programs.ROOT)
    truth = Truth(**json.loads((files / "truth.json").read_text()))
    kinds = EACH if documents else ()
    papers = {kind: DocumentTruth(**json.loads((files / kind / "truth.json").read_text())) for kind in kinds}
    with TemporaryDirectory(dir=bench.folder) as place, serving(files, throttle, documents=documents) as url:
        yield Site(url, truth, bench.page_size, papers), Path(place)
