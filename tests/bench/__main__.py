"""`make bench`: how long a pull takes and how much memory, beside the least there is and beside dlt.

Each figure is of a fresh process, measured from outside, imports and all; what it stored is compared with the truth.
Other work on the machine shows in the times: compare within one run, and believe no difference below a half.

    python -m tests.bench                                100,000 and 1,000,000 clients; a quarter of an hour
    python -m tests.bench --clients 10000                one quick round
    python -m tests.bench --json                         for machines
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.bench.rounds import HEAD, Bench, Figure, growth, round_of, throttled_round

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run the rounds that are asked for, and print their figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--clients", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--throttled", type=int, nargs="*", default=None, help="sizes at a real server's speed")
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers", help="an environment with dlt")
    parser.add_argument("--peer-most", type=int, default=100_000, help="the largest size that dlt is asked to load")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    throttled = [20_000, 100_000] if asked.throttled is None else asked.throttled
    bench = Bench(asked.folder, asked.page_size, asked.peers, asked.peer_most, quiet=asked.json)
    figures: list[Figure] = []
    if not asked.json:
        print(HEAD)
    for clients in asked.clients:
        figures += round_of(bench, clients)
    for clients in throttled:
        figures += throttled_round(bench, clients)
    figures += growth(bench, figures)
    if asked.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    missed = [figure for figure in figures if figure.kept is False]
    if not asked.json:
        print(
            f"{len(missed)} of {sum(f.kept is not None for f in figures)} targets missed"
            if missed
            else "all targets kept"
        )
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
