"""Every call by which a pull changes a file of the warehouse's folder, killed or failed once: `make injections`.

Which calls those are is counted, not listed: strace follows one undisturbed pull, and each call that it makes on the
folder is a point. Then for each point the same pull runs again, and strace kills it there, or has the call fail with
"no space left" or "I/O error". What must follow: an end with one line and an exit code, or the pull is done; the file
opens and holds the old state or the new one; the next pull is exact. At last the pull runs on file systems that are
really full, of every size until it fits. Takes about an hour on one core (`--every 10`: a tenth of the points).

Needs strace (`apt-get install strace`) and the right to trace; for the full file systems, the right to mount a tmpfs.
A pull gives DuckDB one thread, so the n-th call is the same call each time, but for the last ones.

    python -m tests.crashes.injections [--every K] [--only first|later|full]
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.server import Sandbox, running
from tests.crashes import program
from tests.crashes.victim import Stable, stable
from tests.crashes.watch import Watch
from tests.flows.conftest import Server

CLIENTS = 40
CALLS = (
    "write,writev,pwrite64,?pwritev,?pwritev2,fsync,fdatasync,?sync_file_range,ftruncate,?truncate,?fallocate,?rename,"
    "?renameat,?renameat2,?unlink,?unlinkat,?link,?linkat,?mkdir,?mkdirat,?rmdir,?copy_file_range,?sendfile,openat"
)
"""Whatever can change a file or a folder; of `openat`, those with O_CREAT count."""
EFFECTS = ("signal=KILL", "error=ENOSPC", "error=EIO")
CLEAN = {0, 6, 7}
NOT_MET, MOST_NOT_MET = "not met", 6
"""A pull may make a call or two fewer than the one that was counted; three effects each."""
ROOM = [*range(0, 128, 16), *range(128, 1024, 64), *range(1024, 8192, 512), *range(8192, 24576, 4096)]
"""KiB that a file system has beyond what is there, from none to plenty."""


@dataclass(frozen=True, order=True)
class Point:
    """The n-th call of this name; `on` is the file, for people."""

    call: str
    number: int
    on: str


@dataclass(frozen=True)
class Scene:
    """A server, and the folder as it was before the pull that is to be disturbed."""

    server: Server
    path: Path
    victims: Stable
    kept: Path

    @property
    def box(self) -> Sandbox:
        return self.server.box

    def restore(self) -> Watch:
        """Put the folder back as it was."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        if self.kept.exists():
            shutil.copytree(self.kept, self.path.parent)
        return Watch(self.server, self.path, self.victims)


@contextmanager
def scene(folder: Path, *, first: bool) -> Iterator[Scene]:
    """A scene whose disturbed pull is the warehouse's first one, or one that loads changes."""
    path, kept = folder / "state" / "warehouse.duckdb", folder / "kept"
    with running(clients=CLIENTS, seed=5) as box, stable(path, {"main": (box.url, box.token)}) as victims:
        server = Server(box)
        if not first:
            assert pull(path, box)[0] == 0
            shutil.copytree(path.parent, kept)
            for client in list(server.clients(status="active").values())[:20]:
                server.edit(client, city="Elsewhere")
        yield Scene(server, path, victims, kept)


def pull(path: Path, box: Sandbox, *before: str) -> tuple[int, str]:
    """One pull as a process, behind strace where that is told: its exit code and what it said."""
    process = program.start(path, box, *before)
    _, err = process.communicate(timeout=300)
    return process.returncode, err


def strace(log: Path, *more: str) -> list[str]:
    """The trap: with --seccomp-bpf strace 6.1 is faster, and sends no signals."""
    return ["strace", "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={CALLS}", *more]


def points(scene: Scene, log: Path) -> list[Point]:
    """The calls of an undisturbed pull on the folder, each with its number among the calls of its process."""
    scene.restore()
    assert pull(scene.path, scene.box, *strace(log))[0] == 0
    counts: Counter[tuple[str, str]] = Counter()
    found = {}
    for line in log.read_text(errors="replace").splitlines():
        made = re.match(r"(\d+) +(\w+)\((.*)", line)
        if made is None:
            continue  # the rest of a call that began in another line, or a signal
        process, call, rest = made.groups()
        counts[process, call] += 1
        on = re.search(re.escape(str(scene.path.parent)) + r'[^">]*', rest)
        if on and (call != "openat" or "O_CREAT" in rest):
            found[call, counts[process, call]] = Path(on[0]).name
    return sorted(Point(*key, on) for key, on in found.items())


def disturb(scene: Scene, point: Point, effect: str, log: Path) -> str:
    """Run the pull with one call killed or failed; how it ended. Raises AssertionError where not as promised."""
    watch = scene.restore()
    code, err = pull(scene.path, scene.box, *strace(log, "-e", f"inject={point.call}:{effect}:when={point.number}"))
    if effect == "signal=KILL" and code == -signal.SIGKILL:
        ended = "killed"
    else:
        judge(code, err)
        ended = "done" if code == 0 else f"exit {code}"
    watch.check(exact=False)
    watch.pull()
    sign = "killed by SIGKILL" if effect == "signal=KILL" else "(INJECTED)"
    return ended if sign in log.read_text(errors="replace") else NOT_MET


def judge(code: int, err: str) -> None:
    """A clean end: an exit code that the error tree has, words for it, no traceback."""
    assert code in CLEAN, f"exit code {code}: {err}"
    assert "Traceback" not in err, err
    assert code in {0, 7} or err.strip().startswith("ninja-sync: "), err


def full_file_system(scene: Scene, kibibytes: int) -> str:
    """Pull on a file system that has so much room; then it grows, and the next pull is exact."""
    folder = scene.path.parent
    kept = [file.stat().st_size for file in scene.kept.rglob("*")] if scene.kept.exists() else []
    kibibytes += 16 + sum(-(-size // 4096) * 4 for size in kept)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(folder)], check=True)
    try:
        if scene.kept.exists():
            shutil.copytree(scene.kept, folder, dirs_exist_ok=True)
        watch = Watch(scene.server, scene.path, scene.victims)
        code, err = pull(scene.path, scene.box)
        judge(code, err)
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        watch.check(exact=False)
        watch.pull()
        return "done" if code == 0 else f"exit {code}"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def mountable(folder: Path) -> bool:
    tried = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    return tried.returncode == 0 and subprocess.run(["umount", str(folder)], check=True).returncode == 0


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("--every", type=int, default=1, help="take each K-th point only")
    asked.add_argument("--only", choices=("first", "later", "full"), help="one part of the three")
    args = asked.parse_args()
    if shutil.which("strace") is None:
        print("injections need strace: apt-get install strace")
        return 1
    bad = 0
    for kind in ("first", "later"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            at = stack.enter_context(scene(folder, first=kind == "first"))
            if args.only in (None, kind):
                bad += _all_points(at, kind, folder / "strace.log", args.every)
            if args.only in (None, "full"):
                bad += _all_sizes(at, kind, folder, args.every)
    print(f"{bad} bad endings")
    return 1 if bad else 0


def _all_points(at: Scene, kind: str, log: Path, every: int) -> int:
    found = points(at, log)
    print(f"{kind} pull: {len(found)} calls {dict(Counter(p.call for p in found))}", flush=True)
    tried = [(f"{p.call} {p.number} on {p.on}, {e}", e, p) for p in found[::every] for e in EFFECTS]
    return _tell(kind, ((name, effect, lambda p=p, e=effect: disturb(at, p, e, log)) for name, effect, p in tried))


def _all_sizes(at: Scene, kind: str, folder: Path, every: int) -> int:
    if not mountable(folder):
        print(f"{kind} pull: SKIPPED on full file systems: a tmpfs cannot be mounted here")
        return 0
    return _tell(kind, ((f"{k} KiB of room", "full", lambda k=k: full_file_system(at, k)) for k in ROOM[::every]))


def _tell(kind: str, tries: Iterator) -> int:
    """Run them all; tell each bad ending and how many ended how. How many were bad."""
    endings: Counter[tuple[str, str]] = Counter()
    for name, effect, run in tries:
        try:
            endings[effect, run()] += 1
        except Exception:  # noqa: BLE001 - the other points are tried all the same
            endings[effect, "BAD"] += 1
            print(f"BAD {kind} pull, {name}:\n{traceback.format_exc(limit=-2)}", flush=True)
    for (effect, ended), count in sorted(endings.items()):
        print(f"  {kind} pull, {effect}: {ended}: {count}", flush=True)
    counts = Counter(ended for (_, ended), count in endings.items() for _ in range(count))
    return counts["BAD"] + (counts[NOT_MET] if counts[NOT_MET] > MOST_NOT_MET else 0)


if __name__ == "__main__":
    sys.exit(main())
