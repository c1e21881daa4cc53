"""The programs that the bench measures, each in a process of its own, and each held to the truth.

A pull, a fetch or a load that does not bring exactly the clients of the server is no figure: it raises RuntimeError.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.crowd import Truth
from tests.bench.documents import DocumentTruth
from tests.bench.measured import Measured, measured
from tests.postgres import Cluster

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("ninja-sync")
DUCKDB, POSTGRES = "DuckDB", "Postgres"
ENGINES = (DUCKDB, POSTGRES)
CONNECTIONS = 4
AIRBYTE_PAGE = 5000
DAYS = 30
TABLES = {
    "clients": ("contacts", "balance"),
    "invoices": ("invoice_items", "balance"),
    "payments": ("payment_applications", "amount"),
    "credits": ("credit_items", "balance"),
}
"""The children and the amounts that are compared with the truth."""
PUBLISHED = "select cast(seconds as double) from control.published"


@dataclass(frozen=True)
class Site:
    """A server that is asked, what it holds, and the size of the pages that are asked for."""

    url: str
    truth: Truth
    page_size: int
    documents: Mapping[str, DocumentTruth] = field(default_factory=dict)

    @property
    def truths(self) -> dict[str, Truth | DocumentTruth]:
        """The truth of each kind of records."""
        return {"clients": self.truth, **self.documents}


@dataclass(frozen=True)
class Store:
    """A database that is new, its address, a folder beside it, and the process of its server."""

    engine: str
    address: str
    folder: Path
    server: int | None = None

    @property
    def staged(self) -> Path:
        """Where Ninja Sync stages pages for it."""
        return Path(f"{self.address}.staging") if self.engine == DUCKDB else self.folder / "state"


@contextmanager
def new_store(engine: str, within: Path, cluster: Cluster | None) -> Iterator[Store]:
    """A new database of an engine; it is removed at the end."""
    with TemporaryDirectory(dir=within) as place:
        folder = Path(place)
        if engine == DUCKDB:
            yield Store(engine, str(folder / "warehouse.duckdb"), folder)
            return
        assert cluster is not None
        assert cluster.process is not None
        name = cluster.make_database()
        try:
            yield Store(engine, cluster.url(name), folder, cluster.process.pid)
        finally:
            cluster.drop_database(name)


def fetch(site: Site, folder: Path, connections: int) -> Measured:
    """The bare fetch: read and decode all, store nothing."""
    script = [sys.executable, str(HERE / "floor.py"), site.url, str(site.page_size), str(connections)]
    done = measured([*script, *site.truths], folder=folder)
    due = sum(truth.totals[0] for truth in site.truths.values())
    if int(done.output) != due:
        raise RuntimeError(f"The bare fetch read {done.output.strip()} of {due} records.")
    return done


def pull(site: Site, store: Store, *, publish: bool = True) -> Measured:
    """`ninja-sync pull` into a database, which then holds the truth."""
    (store.folder / "ninja-sync.toml").write_text(
        f"publish = {str(publish).lower()}\n"
        f'[sources.main]\nurl = "{site.url}"\nentities = {list(site.truths)}\n'
        f"page_size = {site.page_size}\nrequests_per_second = 1000.0\n"
    )
    done = _ninja_sync(store, "pull")
    for table, truth in site.truths.items():
        check(holds(store.address, store.folder, "ninja", table), truth)
    return done


def publish(site: Site, store: Store) -> Measured:
    """`ninja-sync publish`, after which the copy holds the truth."""
    done = _ninja_sync(store, "publish")
    copy = f"{store.address}.published/reader.duckdb"
    check(holds(copy, store.folder, "ninja"), site.truth)
    return done


def copies(store: Store) -> Measured:
    """The part of the pull before in which it wrote the copies for readers: its time alone."""
    script = "import sys; from tests.bench.holds import rows_of; print(rows_of(*sys.argv[1:])[0][0])"
    done = measured(
        [sys.executable, "-c", script, store.address, PUBLISHED], folder=store.folder, environ={"PYTHONPATH": str(ROOT)}
    )
    return Measured(float(done.output), 0.0, 0.0, "")


def idle_floor(store: Store) -> Measured:
    """The imports of an idle pull, and one query."""
    address = [store.address] if store.engine == POSTGRES else []
    return measured([sys.executable, str(HERE / "idle_floor.py"), *address], folder=store.folder, server=store.server)


def thirty_days(site: Site, store: Store, times: int) -> list[Measured]:
    """The balances of thirty days, summed in Postgres: each query's time alone. Spoils the warehouse."""
    script = [sys.executable, "-m", "tests.bench.thirty_days", store.address, str(times)]
    done = measured(script, folder=store.folder, environ={"PYTHONPATH": str(ROOT)})
    summed = json.loads(done.output)
    if (summed["rows"], Decimal(summed["money"])) != (DAYS * site.truth.clients, DAYS * site.truth.money):
        raise RuntimeError(f"The view by day holds {summed}, and should hold {DAYS} times {site.truth}.")
    return [Measured(seconds, 0.0, 0.0, "") for seconds in summed["seconds"]]


def dlt(site: Site, store: Store, peers: Path) -> Measured:
    """dlt's fastest way into a database, which then holds the truth."""
    script = [str(peers), str(HERE / "dlt_pull.py"), site.url, str(store.folder), store.address]
    environ = {"RUNTIME__DLTHUB_TELEMETRY": "false", "HOME": str(store.folder)}
    done = measured(script, folder=store.folder, environ=environ, server=store.server)
    check(holds(store.address, store.folder, "bench", children="clients__contacts"), site.truth)
    return done


def airbyte(site: Site, folder: Path, peers: Path) -> Measured:
    """airbyte-cdk reads everything, and stores nothing."""
    script = [str(peers), str(HERE / "airbyte_read.py"), site.url, str(AIRBYTE_PAGE)]
    environ = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "HOME": str(folder)}
    done = measured(script, folder=folder, environ=environ)
    check(json.loads(done.output), site.truth)
    return done


def missing_of(peers: Path) -> list[str]:
    """Those of the peers' packages that are not there; all of them where there is no environment."""
    names = ["dlt", "psycopg2", "airbyte_cdk"]
    if shutil.which(peers) is None:
        return names
    script = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n) is None])"
    return subprocess.run([peers, "-c", script, *names], capture_output=True, text=True, check=True).stdout.split()


def holds(
    address: str, folder: Path, schema: str, table: str = "clients", children: str | None = None
) -> dict[str, object]:
    """The totals of a table."""
    ours, column = TABLES[table]
    asked = [sys.executable, "-m", "tests.bench.holds", address, schema, table, children or ours, column]
    totals: dict[str, object] = json.loads(measured(asked, folder=folder, environ={"PYTHONPATH": str(ROOT)}).output)
    return totals


def check(totals: dict[str, object], truth: Truth | DocumentTruth) -> None:
    """Raise RuntimeError where totals are not exactly those of the truth."""
    held = totals | {"money": Decimal(str(totals["money"]))}
    rows, children = truth.totals
    due = {"rows": rows, "ids": rows, "children": children, "money": truth.money}
    if held != due:
        raise RuntimeError(f"The database holds {held}, and should hold {due}.")


def _ninja_sync(store: Store, command: str) -> Measured:
    return measured(
        [str(COMMAND), command, "--config", str(store.folder / "ninja-sync.toml"), "--json"],
        folder=store.folder,
        environ={
            "NINJA_SYNC_TOKEN": "bench",
            "NINJA_SYNC_WAREHOUSE": store.address,
            "XDG_STATE_HOME": str(store.folder / "state"),
        },
        server=store.server,
        watched=store.staged,
    )
