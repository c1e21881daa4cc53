"""`make bench`: `ninja-sync dedupe find` on very many invented companies: time, memory, and how good it is.

The command is a process of its own, from its start to its end: reading the warehouse, comparing, explaining, storing.
It runs twice: on a new warehouse, and after a hundred of its clients have changed. `python -m tests.bench.dedupe_scale
1000000` measures a million clients.
The companies are those of `tests.bench.dedupe_crowd`, more than a tenth of which look like others: take the figures of
quality for no promise about your data. Other seeds of them were part of what the weights were fitted on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measured import Measured, measured

COMMAND = [sys.executable, "-c", "from flows.cli.start import main; main()", "dedupe", "find", "--json"]


def main() -> None:
    """Print a line for each size."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("clients", nargs="*", type=int, default=[10_000, 100_000])
    print(f"{'clients':>9}{'s':>8}{'cpu s':>8}{'MB':>8}{'precision':>11}{'recall':>8}   of pairs in clusters")
    for clients in asked.parse_args().clients:
        with tempfile.TemporaryDirectory() as folder:
            done, precision, recall, later = found(Path(folder), clients)
        print(f"{clients:9}{_figures(done)}{precision:11.3f}{recall:8.3f}", flush=True)
        again = json.loads(later.output)["compared_again"]
        print(f"{'':9}{_figures(later)}   after 100 changes: {again:,} clients compared again", flush=True)


def _figures(done: Measured) -> str:
    return f"{done.seconds:8.1f}{done.cpu:8.1f}{done.peak_mb:8.0f}"


def found(folder: Path, clients: int) -> tuple[Measured, float, float, Measured]:
    """What `dedupe find` took, precision and recall of the pairs in its clusters, and what it took after changes."""
    warehouse, labels = folder / "warehouse.duckdb", folder / "labels.json"
    made = [sys.executable, "-m", "tests.bench.dedupe_warehouse", str(warehouse), str(labels), str(clients)]
    subprocess.run(made, check=True)  # a process of its own: this one must stay small, or it is counted in
    environ = {"NINJA_SYNC_WAREHOUSE": str(warehouse), "NINJA_SYNC_URL": "https://ninja.example", "HOME": str(folder)}
    environ = {**os.environ, **environ, "NINJA_SYNC_TOKEN": "not needed"}
    done = measured(COMMAND, folder=folder, environ=environ)
    subprocess.run([*made[:3], str(warehouse)], check=True)
    later = measured(COMMAND, folder=folder, environ=environ)
    who = json.loads(labels.read_text())
    pairs = [(a, b) for ids in json.loads(done.output)["clusters"] for n, a in enumerate(ids) for b in ids[n + 1 :]]
    sizes: dict[str, int] = {}
    for label in who.values():
        sizes[label] = sizes.get(label, 0) + 1
    truth = sum(n * (n - 1) // 2 for n in sizes.values())
    right = sum(who[a] == who[b] for a, b in pairs)
    return done, right / max(1, len(pairs)), right / max(1, truth), later


if __name__ == "__main__":
    main()
