"""One command in a process of its own, measured from outside: time, CPU, and the most memory and disk it ever held."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What a process took, from its start to its end; imports are counted in.

    `cpu` is what the processors worked for it: that hardly depends on what else the machine does. `server_cpu` is what
    a database server worked meanwhile, and `disk_mb` the most that a watched folder held.
    """

    seconds: float
    cpu: float
    peak_mb: float
    output: str
    server_cpu: float = 0.0
    disk_mb: float = 0.0

    @property
    def cost(self) -> float:
        """CPU seconds of the process and of the database server."""
        return self.cpu + self.server_cpu


def measured(
    command: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    server: int | None = None,
    watched: Path | None = None,
) -> Measured:
    """Run a command to its end and measure it. Raises RuntimeError, with its last words, where it fails.

    `server` is the process of a database server, `watched` a folder whose size is looked at again and again.

    The trap: Linux counts the memory of the process that forked into the child's peak, so whoever calls this must be
    small itself (no pyarrow, no DuckDB).
    """
    out, problems = folder / "stdout", folder / "stderr"
    # Without compiled modules, each process would compile its imports again.
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with out.open("wb") as stdout, problems.open("wb") as stderr, _most_bytes(watched) as most:
        before = cpu_of(server)
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env={**around, **(environ or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        server_cpu = cpu_of(server) - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]} ended with {process.returncode}: {problems.read_text()[-2000:]}")
    cpu, peak_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    return Measured(seconds, cpu, peak_mb, out.read_text(), server_cpu, most[0] / 1e6)


def cpu_of(process: int | None) -> float:
    """CPU seconds of a process and its children, those that have ended counted in; 0 without a process or /proc."""
    if process is None or not Path("/proc/self/stat").exists():
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if stat.parent.name == str(process):
            ticks += sum(int(field) for field in fields[11:15])
        elif fields[1] == str(process):
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / TICKS


@contextmanager
def _most_bytes(folder: Path | None) -> Iterator[list[int]]:
    """Watch a folder meanwhile; the most bytes that its files have held."""
    most, ended = [0], threading.Event()

    def watch(folder: Path) -> None:
        rest = 0.05
        while not ended.wait(rest):
            began = time.perf_counter()
            most[0] = max(most[0], _bytes(folder))
            rest = max(0.05, 20 * (time.perf_counter() - began))  # at most a twentieth of a core

    if folder is None:
        yield most
        return
    thread = threading.Thread(target=watch, args=(folder,))
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def _bytes(folder: Path) -> int:
    """The bytes of all files below a folder; files that vanish meanwhile are left out."""
    total = 0
    for here, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.stat(os.path.join(here, name)).st_size  # noqa: PTH116, PTH118 - thousands of files
            except OSError:
                continue
    return total
