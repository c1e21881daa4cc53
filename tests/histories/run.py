"""Many histories: `python -m tests.histories.run 10000`. Progress is shown; a failure says how to see it again.

Each part of the run has its own seed, so that one part can be played again: `... run 1 --seed 1234 --processes 1`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engines import Databases, Files
from tests.histories import machine
from tests.histories.quick import quick
from tests.postgres import Cluster, running_postgres

PART = 25
"""Worlds with one seed; two to three histories in each."""
STEPS = 5


MACHINES = {"": machine.Histories, "massive": machine.MassChanges, "papers": machine.Papers}


def play(worlds: int, seed: int, *, only: str = "", shrink: bool = True, quiet: bool = False) -> None:
    """Draw and play the histories of so many worlds; raises with the shortest failing one."""
    run_state_machine_as_test(
        hypothesis.seed(seed)(MACHINES[only]),
        settings=settings(
            max_examples=worlds,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet if quiet else Verbosity.normal,
        ),
    )


def _part(told: tuple[int, str, str, Cluster | None]) -> tuple[int, Counter[str], str]:
    """Play one part: (seed, what it came to, the failure). On both engines, all rows have to be the same."""
    seed, engines, only, server = told
    machine.tally.clear()
    hashes = []
    try:
        for engine in ("duckdb", "postgres") if engines == "both" else (engines,):
            machine.hashes.clear()
            with quick(), machine.played_on(Files() if engine == "duckdb" else Databases(server)):
                play(PART, seed, only=only, shrink=engines != "both")
            hashes.append(list(machine.hashes))
        assert all(each == hashes[0] for each in hashes), "the two engines hold different rows"
    except Exception:  # noqa: BLE001 - whatever it is, it is shown with its seed
        return seed, Counter(machine.tally), traceback.format_exc()
    return seed, Counter(machine.tally), ""


def main() -> int:
    """Run, show progress, and print what it came to; 1 where a history failed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("histories", type=int, nargs="?", default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--engine", choices=("duckdb", "postgres", "both"), default="duckdb")
    asked.add_argument(
        "--only", choices=tuple(MACHINES), default="", help="only worlds of mass changes, or with papers"
    )
    asked.add_argument("--most-failures", type=int, default=1)
    told = asked.parse_args()
    began, total, failed = time.monotonic(), Counter[str](), 0
    with ExitStack() as stack, multiprocessing.get_context("spawn").Pool(told.processes) as pool:
        # One server for all processes of the pool: they are ended by a signal, and could stop none of their own.
        server = None if told.engine == "duckdb" else replace(stack.enter_context(running_postgres()), process=None)
        parts = ((seed, told.engine, told.only, server) for seed in range(told.seed, told.seed + told.histories))
        for seed, came, failure in pool.imap_unordered(_part, parts):
            total += came
            if failure:
                failed += 1
                print(f"\n{failure}\nAgain: python -m tests.histories.run 1 --seed {seed} --processes 1\n")
            took = time.monotonic() - began
            print(f"{total['histories']}/{told.histories} histories, {took:.0f} s, {failed} failed", flush=True)
            if total["histories"] >= told.histories or failed >= told.most_failures:
                break
    print("; ".join(f"{count} {what}" for what, count in sorted(total.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
