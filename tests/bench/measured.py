"""One command in a process of its own, measured from outside: wall time and the most memory it ever held."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What a process took, from its start to its end; imports are counted in.

    `cpu` is what the processors worked for it: that hardly depends on what else the machine does.
    """

    seconds: float
    cpu: float
    peak_mb: float
    output: str


def measured(command: Sequence[str], *, folder: Path, environ: Mapping[str, str] | None = None) -> Measured:
    """Run a command to its end and measure it. Raises RuntimeError, with its last words, where it fails.

    The trap: Linux counts the memory of the process that forked into the child's peak, so whoever calls this must be
    small itself (no pyarrow, no DuckDB).
    """
    out, problems = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, problems.open("wb") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env={**os.environ, **(environ or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}: {problems.read_text()[-2000:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read_text())
