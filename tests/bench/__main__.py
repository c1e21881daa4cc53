"""`make bench`: how long pulls take and how much memory, beside the least there is, dlt and airbyte-cdk.

Each figure is of a fresh process, measured from outside, imports and all; what it stored is compared with the truth.
Other work on the machine shows in the times: compare within one run.

    python -m tests.bench --write docs/benchmarks.md           everything; more than half an hour
    python -m tests.bench --clients 10000 --throttled --mass --documents   one quick round
    python -m tests.bench --documents 100000 --clients --throttled --mass   500,000 invoices
    python -m tests.bench --engines duckdb --peers none        without a Postgres, dlt and airbyte-cdk
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.page import Report, json_of, machine_of, now, page_of, tables_of
from tests.bench.programs import ENGINES, POSTGRES, ROOT, missing_of
from tests.bench.rounds import Bench, documents_round, fast_round, mass_round, real_round
from tests.postgres import running_postgres


def main() -> None:
    """Run the rounds that are asked for, and print their figures; if one fails, print those before it."""
    asked, began = _asked(), time.monotonic()
    asked.folder.mkdir(parents=True, exist_ok=True)
    engines = tuple(engine for engine in ENGINES if engine.lower() in asked.engines)
    peers, notes = asked.peers / "bin" / "python", ()
    if missing := missing_of(peers):
        peers, notes = None, (f"Without dlt and airbyte-cdk: `make peers` installs {', '.join(missing)}.",)
        print(*notes, file=sys.stderr)
    figures: list[Figure] = []
    # A server with its default settings: those of the tests do without what keeps rows safe.
    with running_postgres(options=()) if POSTGRES in engines else nullcontext() as cluster:
        bench = Bench(
            asked.folder, asked.page_size, engines, cluster, peers, asked.peer_most, asked.pairs, asked.repeats
        )
        machine = machine_of(peers, cluster.bin if cluster else None)
        try:
            for figures_of_round in _rounds(bench, asked):
                figures += figures_of_round
        finally:
            report = Report(now(), machine, (time.monotonic() - began) / 60, tuple(figures), notes)
            print(json_of(report) if asked.json else tables_of(report), flush=True)
    if asked.write:
        asked.write.write_text(page_of(report), encoding="utf-8")
    sys.exit(bool(report.missed))


def _rounds(bench: Bench, asked: argparse.Namespace) -> Iterator[list[Figure]]:
    """The figures of one round after the other; the longest, those of most clients, come last."""
    yield from (mass_round(bench, clients) for clients in asked.mass)
    with_peers = max((size for size in asked.throttled if size <= bench.peer_most), default=0)
    yield from (real_round(bench, size, with_peers=size == with_peers) for size in asked.throttled)
    yield from (documents_round(bench, clients) for clients in asked.documents)
    yield from (fast_round(bench, clients) for clients in asked.clients)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--clients", type=int, nargs="*", default=[100_000, 1_000_000], help="sizes at full speed")
    parser.add_argument("--throttled", type=int, nargs="*", default=[20_000, 100_000], help="sizes at real speed")
    parser.add_argument("--mass", type=int, nargs="*", default=[20_000], help="sizes after a mass change")
    parser.add_argument(
        "--documents", type=int, nargs="*", default=[20_000], help="sizes with invoices, payments and credits"
    )
    parser.add_argument("--pairs", type=int, default=5, help="how often idle pulls and their imports take turns")
    parser.add_argument("--repeats", type=int, help="runs of each program; otherwise 3, and 1 beyond 100,000 clients")
    parser.add_argument(
        "--engines", nargs="+", default=[e.lower() for e in ENGINES], choices=[e.lower() for e in ENGINES]
    )
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument(
        "--peers", type=Path, default=ROOT / ".venv-peers", help="an environment with dlt and airbyte-cdk"
    )
    parser.add_argument(
        "--peer-most", type=int, default=100_000, help="the largest size that the peers are asked to load"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, help="a page to write, such as docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
