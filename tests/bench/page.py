"""The report of a run: as tables for a terminal, and as the page docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.figures import DOCUMENTS, FAST, MASS, REAL, Figure, Figures, Target, cpu, seconds, targets_of

OURS = ("duckdb", "pyarrow", "psycopg")
PEERS = ("dlt", "airbyte-cdk")
HEADINGS = {
    FAST: "{clients:,} clients, from a server that answers at once",
    REAL: "{clients:,} clients, at the speed of a real server",
    MASS: "{clients:,} clients after a mass change, at the speed of a real server",
    DOCUMENTS: "{clients:,} clients with documents, from a server that answers at once",
}
INTRO = """\
# Benchmarks

This page is one run of `make bench`, which measures pulls and judges them by the project's targets. It also measures
dlt, airbyte-cdk, and a bare fetch that stores nothing. Afterwards it compares every database with the server: how many
clients, ids and contacts there are, and the exact sum of all balances. A difference ends the run."""
HOW = """\
## Repeat it

<!-- not run: it takes more than half an hour -->
```sh
make peers                          # once: installs dlt and airbyte-cdk in an environment of their own
make bench                          # prints these tables and writes this page again
.venv/bin/python -m tests.bench --clients 10000 --throttled --mass --documents    # one quick round; writes nothing
```"""
MEANING = """\
## How to read the tables

* **time** is the median of all runs. Each is a new process, from its start to its end. **CPU** is the work of that
  process. Other programs on the machine affect the times, and hardly the CPU.
* **server's CPU** is the work of the Postgres server meanwhile. CPU does not include it. The server has its default
  settings.
* **ratio** compares a full read with the bare fetch of the same table, and an idle pull with its imports and one query.
  Programs that are compared take turns, and the ratio is the median of the pairs. If one of them ran more often, it is
  the ratio of the medians.
* **peak** is the most memory that the process ever held.
* **bare fetch** reads all pages with httpx, decodes them with orjson, and stores nothing.
* **Ninja Sync** is `ninja-sync pull` with default settings, except for a high `requests_per_second`. On DuckDB it also
  writes the copies for readers. If that takes long, pulls of a few changes postpone it.
* **dlt** loads the same clients, merged by id, in its fastest format: Parquet for DuckDB, CSV for Postgres.
  **airbyte-cdk** reads them through a declarative source and stores nothing. Both read pages of 5,000.
* **real speed**: the server sends 1,800 clients a second on one connection and 3,700 on four, like an Invoice Ninja
  5.10.42 with four workers. In a **mass change**, 40 % of all clients changed in one second.
* **with documents**: each client has five invoices of two or three lines and four payments; every fifth has a credit.
  All four lists are fetched and pulled. Of the invoices, 100 change.
* **thirty days of balances** sums `mart.client_balance_daily` over thirty days, for all clients.
* **pull of 100 changes** in the targets: its CPU there includes the server's."""


@dataclass(frozen=True)
class Report:
    """One run: when and where it was, how long it took, what it measured, and what it could not measure."""

    at: datetime
    machine: dict[str, str]
    minutes: float
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    @property
    def targets(self) -> list[Target]:
        """The goals, judged."""
        return targets_of(self.figures)

    @property
    def missed(self) -> int:
        """How many goals were not reached."""
        return sum(target.kept is False for target in self.targets)


def page_of(report: Report) -> str:
    """The page as Markdown."""
    machine = "\n".join(f"* {name}: {value}" for name, value in report.machine.items())
    run = f"## The run\n\n{report.at:%Y-%m-%d}, {report.minutes:.0f} minutes.\n\n{machine}"
    return "\n\n".join([INTRO, run, tables_of(report), MEANING, HOW]) + "\n"


def tables_of(report: Report) -> str:
    """The targets, then the figures of each round."""
    figures = Figures(report.figures)
    tables = [f"## Targets\n\n{_verdict(report)}\n\n{_targets(report.targets)}"]
    tables += report.notes
    for speed, heading in HEADINGS.items():
        tables += [f"## {heading.format(clients=clients)}\n\n{_round(figures, speed, clients)}"
                   for clients in figures.sizes(speed)]  # fmt: skip
    return "\n\n".join(tables)


def json_of(report: Report) -> str:
    """The same for programs: medians, all runs, and targets."""
    figures = [
        {
            "speed": figure.speed, "clients": figure.clients, "name": figure.label,
            "seconds": figure.middle(seconds), "cpu": figure.middle(cpu),
            "runs": [{name: value for name, value in asdict(run).items() if name != "output"} for run in figure.runs],
        }
        for figure in report.figures
    ]  # fmt: skip
    targets = [asdict(target) | {"kept": target.kept} for target in report.targets]
    whole = {
        "at": report.at.isoformat(), "machine": report.machine, "minutes": report.minutes, "notes": report.notes,
        "figures": figures, "targets": targets,
    }  # fmt: skip
    return json.dumps(whole, indent=1)


def machine_of(peers: Path | None, postgres: Path | None) -> dict[str, str]:
    """The machine and the versions that count, without names of hosts and paths."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = re.search(r"model name\s*: (.+)", _text("/proc/cpuinfo"))
    system = re.search(r'PRETTY_NAME="(.+)"', _text("/etc/os-release"))
    packages = [f"{name} {version(name)}" for name in OURS]
    if postgres:
        packages.append(_said(postgres / "postgres", "--version").replace("postgres (PostgreSQL)", "PostgreSQL"))
    if peers:
        script = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
        versions = _said(peers, "-c", script, *PEERS).split()
        packages += [f"{name} {number}" for name, number in zip(PEERS, versions, strict=True)]
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores{f' of {processor[1]}' if processor else ''}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{system[1] if system else platform.system()}, Python {platform.python_version()}",
        "packages": ", ".join(packages),
    }


def now() -> datetime:
    """The time of a report."""
    return datetime.now(UTC)


def _verdict(report: Report) -> str:
    judged = sum(target.kept is not None for target in report.targets)
    return f"{judged - report.missed} of {judged} targets are reached."


def _targets(targets: Sequence[Target]) -> str:
    rows = []
    for target in targets:
        limit = f"≤ {target.most:g}" if target.most is not None else f"≥ {target.least:g}" if target.least else ""
        value = f"{target.value:,.0f}" if target.unit == "MB" else f"{target.value:.2f}"
        verdict = {None: "", True: "reached", False: "**missed**"}[target.kept]
        rows.append([target.name, target.engine, f"{target.clients:,}", f"{value} {target.unit}", limit, verdict])
    return table(["", "engine", "clients", "figure", "target", ""], rows)


def _round(figures: Figures, speed: str, clients: int) -> str:
    rows = []
    for figure in figures.of(speed, clients):
        to = figures.compared(figure)
        server, peak = figure.middle(lambda run: run.server_cpu), figure.middle(lambda run: run.peak_mb)
        rows.append(
            [
                figure.label,
                str(len(figure.runs)),
                f"{figure.middle(seconds):,.2f} s",
                f"{figure.to(to, seconds):.2f} ×" if to else "",
                f"{figure.middle(cpu):,.2f} s" if figure.middle(cpu) else "",
                f"{figure.to(to, cpu):.2f} ×" if to else "",
                f"{server:,.2f} s" if server else "",
                f"{peak:,.0f} MB" if peak else "",
            ]
        )
    return table(["", "runs", "time", "ratio", "CPU", "ratio", "server's CPU", "peak"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table in columns of one width each; the first is text, the others are figures."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    ruler = ["-" * widths[0], *("-" * (max(width, 2) - 1) + ":" for width in widths[1:])]
    lines = [
        [
            cells[0].ljust(widths[0]),
            *(cell.rjust(max(width, 2)) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        for cells in (head, ruler, *rows)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def _said(program: Path, *words: str) -> str:
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout.strip()
