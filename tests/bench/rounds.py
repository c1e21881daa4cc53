"""The rounds of the bench: what is run, what it must hold, what it may take."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.crowd import Truth, made
from tests.bench.fast_server import Throttle, change, serving
from tests.bench.measured import Measured, measured

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("ninja-sync")
REAL = Throttle(one=1800, all=3700)
CONNECTIONS = 4
CHANGED = 100
MEMORY = {100_000: 400, 1_000_000: 768}
"""MB that a full pull may hold at the most, up to so many clients."""

SLOWER = 1.2
"""Ten times the clients may take twelve times as long."""

CHANGES_SLOWER = 3.0
OVER_THE_FETCH = 1.1
OVER_THE_IMPORTS, PAIRS = 1.3, 9
"""An idle pull may work so much longer than a program that imports httpx and DuckDB and asks one query."""
IMPORTS = "import httpx, duckdb; duckdb.connect('warehouse.duckdb').execute('select 1').fetchall()"


@dataclass(frozen=True)
class Bench:
    """Where files are kept from one run to the next, how large pages are, and whom to compare with up to which size."""

    folder: Path
    page_size: int
    peers: Path
    peer_most: int
    quiet: bool = False

    def told(self, figure: Figure) -> Figure:
        """The figure, after it is printed."""
        if not self.quiet:
            print(figure, flush=True)
        return figure


HEAD = f"{'clients':>10}  {'':<44}{'time':>10}{'cpu':>10}{'pace':>10}{'peak':>10}{'ratio':>9}  target"


@dataclass(frozen=True)
class Figure:
    """One line of the report, as `HEAD` says; `kept` is None where there is no target."""

    name: str
    clients: int
    took: Measured | None = None
    ratio: float | None = None
    note: str = ""
    kept: bool | None = None

    def __str__(self) -> str:
        time = pace = peak = cpu = ""
        if self.took:
            time, cpu = f"{self.took.seconds:.2f} s", f"{self.took.cpu:.2f} s"
            peak = f"{self.took.peak_mb:,.0f} MB"
            pace = f"{self.clients / self.took.seconds:,.0f}/s" if self.name.startswith("all: ") else ""
        ratio = "" if self.ratio is None else f"× {self.ratio:.2f}"
        kept = {None: "", True: "kept", False: "MISSED"}[self.kept]
        figures = f"{time:>10}{cpu:>10}{pace:>10}{peak:>10}{ratio:>9}"
        return f"{self.clients:>10,}  {self.name:<44}{figures}  {kept:<7}{self.note}"


def round_of(bench: Bench, clients: int) -> list[Figure]:
    """Everything that is measured with so many clients on a server that is as fast as it goes."""
    files = bench.folder / str(clients)
    truth = made(files, clients)
    with TemporaryDirectory(dir=bench.folder) as place, serving(files) as url:
        folder = Path(place)
        bare = _floor(bench, url, folder, 1, truth)
        figures = [bench.told(Figure("all: bare floor, one connection", clients, bare))]
        _configure(folder, url, bench.page_size)
        pulled = _pull(folder)
        _check(_holds(folder, "warehouse.duckdb", "ninja", "contacts"), truth)
        limit = next((most for size, most in MEMORY.items() if clients <= size), None)
        figures.append(
            bench.told(
                Figure(
                    "all: ninja-sync pull", clients, pulled, pulled.seconds / bare.seconds,
                    f"of the floor's time; at most {limit} MB", None if limit is None else pulled.peak_mb <= limit,
                )
            )
        )  # fmt: skip
        figures += _changes(bench, folder, url, clients)
        if clients <= bench.peer_most and (bench.peers / "bin" / "python").exists():
            figures.append(bench.told(_dlt(bench, folder, url, clients, pulled)))
    return figures


def throttled_round(bench: Bench, clients: int) -> list[Figure]:
    """A full pull from a server of real speed, beside the bare fetch on four connections."""
    files = bench.folder / str(clients)
    truth = made(files, clients)
    with TemporaryDirectory(dir=bench.folder) as place, serving(files, REAL) as url:
        folder = Path(place)
        bare = _floor(bench, url, folder, CONNECTIONS, truth)
        _configure(folder, url, bench.page_size)
        pulled = _pull(folder)
        _check(_holds(folder, "warehouse.duckdb", "ninja", "contacts"), truth)
    ratio = pulled.seconds / bare.seconds
    return [
        bench.told(Figure("all: bare fetch, real speed, four connections", clients, bare)),
        bench.told(
            Figure(
                "all: ninja-sync pull, real speed", clients, pulled, ratio,
                f"of the bare fetch; at most {OVER_THE_FETCH}", ratio <= OVER_THE_FETCH,
            )
        ),
    ]  # fmt: skip


def growth(bench: Bench, figures: Sequence[Figure]) -> list[Figure]:
    """How much longer the larger rounds took than the smaller ones."""
    found = []
    for name, most in (
        ("all: ninja-sync pull", None),
        (f"{CHANGED} changed, not published", CHANGES_SLOWER),
        (f"{CHANGED} changed, published when due", CHANGES_SLOWER),
    ):
        rounds = sorted((f for f in figures if f.name == name and f.took), key=lambda figure: figure.clients)
        for small, large in pairwise(rounds):
            ratio = large.took.seconds / small.took.seconds
            limit = most or SLOWER * large.clients / small.clients
            note = f"of the time with {small.clients:,} clients; at most {limit:g}"
            found.append(Figure(f"growth: {name}", large.clients, None, ratio, note, ratio <= limit))
    return [bench.told(figure) for figure in found]


def _changes(bench: Bench, folder: Path, url: str, clients: int) -> list[Figure]:
    """An idle pull, and pulls of a few changes: without copies, with them when they are due, copies alone."""
    figures = [_idle(folder, clients)]
    _configure(folder, url, bench.page_size, publish=False)
    truth = change(url, CHANGED)
    without = _pull(folder)
    figures.append(Figure(f"{CHANGED} changed, not published", clients, without))
    _configure(folder, url, bench.page_size)
    truth = change(url, CHANGED)
    due = _pull(folder)
    told = "published" if json.loads(due.output)["main"]["published"] else "postponed"
    figures.append(Figure(f"{CHANGED} changed, published when due", clients, due, note=told))
    published = _ninja_sync(folder, "publish")
    figures.append(Figure("ninja-sync publish", clients, published))
    for name in ("warehouse.duckdb", "warehouse.duckdb.published/reader.duckdb"):
        _check(_holds(folder, name, "ninja", "contacts"), truth)
    return [bench.told(figure) for figure in figures]


def _idle(folder: Path, clients: int) -> Figure:
    """An idle pull beside the bare imports, in pairs: the median of each one's processor time."""
    _pull(folder)
    pairs = [(_pull(folder), measured([sys.executable, "-c", IMPORTS], folder=folder)) for _ in range(PAIRS)]
    idle, bare = (sorted(side, key=lambda done: done.cpu)[PAIRS // 2] for side in zip(*pairs, strict=True))
    ratio = idle.cpu / bare.cpu
    note = f"of the bare imports' cpu; at most {OVER_THE_IMPORTS}"
    return Figure("nothing changed", clients, idle, ratio, note, ratio <= OVER_THE_IMPORTS)


def _dlt(bench: Bench, folder: Path, url: str, clients: int, pulled: Measured) -> Figure:
    script = [str(bench.peers / "bin" / "python"), str(HERE / "dlt_pull.py"), url, str(folder)]
    before = _holds(folder, "warehouse.duckdb", "ninja", "contacts")
    done = measured(script, folder=folder, environ={"RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(folder)})
    _check(_holds(folder, "dlt.duckdb", "bench", "clients__contacts"), before)
    ratio = done.seconds / pulled.seconds
    return Figure("all: dlt, parquet, merged by id", clients, done, ratio, "of our time")


def _floor(bench: Bench, url: str, folder: Path, connections: int, truth: Truth) -> Measured:
    script = [sys.executable, str(HERE / "floor.py"), url, str(bench.page_size), str(connections)]
    done = measured(script, folder=folder)
    if int(done.output) != truth.clients:
        raise RuntimeError(f"The bare fetch read {done.output.strip()} of {truth.clients} clients.")
    return done


def _configure(folder: Path, url: str, page_size: int, *, publish: bool = True) -> None:
    (folder / "ninja-sync.toml").write_text(
        f'warehouse = "warehouse.duckdb"\npublish = {str(publish).lower()}\n'
        f'[sources.main]\nurl = "{url}"\npage_size = {page_size}\nrequests_per_second = 1000.0\n'
    )


def _pull(folder: Path) -> Measured:
    return _ninja_sync(folder, "pull")


def _ninja_sync(folder: Path, command: str) -> Measured:
    return measured(
        [str(COMMAND), command, "--config", str(folder / "ninja-sync.toml"), "--json"],
        folder=folder,
        environ={"NINJA_SYNC_TOKEN": "bench"},
    )


def _holds(folder: Path, name: str, schema: str, contacts: str) -> dict[str, object]:
    asked = [sys.executable, "-m", "tests.bench.holds", str(folder / name), schema, contacts]
    found: dict[str, object] = json.loads(
        measured(asked, folder=folder, environ={"PYTHONPATH": str(HERE.parents[1])}).output
    )
    return found | {"money": Decimal(str(found["money"]))}


def _check(found: dict[str, object], truth: Truth | dict[str, object]) -> None:
    """Raise RuntimeError where a database does not hold exactly what it should."""
    if isinstance(truth, Truth):
        truth = {"clients": truth.clients, "ids": truth.clients, "contacts": truth.contacts, "money": truth.money}
    if found != truth:
        raise RuntimeError(f"The database holds {found}, and should hold {truth}.")
