"""Commands of `ninja-sync` as processes of their own, each forked from one program that has imported everything.

To import it takes half a second, most of what a command takes. The program below has one thread, and an environment
that is none of a developer's; it reads an order a line, runs it, and says how it ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import NoReturn

import connector
import flows
import sandbox
import schemas
import warehouse

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("ninja-sync")
ONE_THREAD = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
HEAVY = ("flows.scheduled", "flows.dedupe")
"""Their commands import them themselves, as they import Prefect and Splink."""


class Commands:
    """The program, started for the first command."""

    def __init__(self) -> None:
        self._program: subprocess.Popen[str] | None = None

    def run(self, args: list[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
        """One command: its exit code, its standard output, its standard error."""
        if self._program is None:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.forked"], cwd=ROOT, env={"PATH": os.environ["PATH"], **ONE_THREAD},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as kept:
            said = [str(Path(kept) / name) for name in ("out", "err")]
            order = {"args": args, "environment": dict(environment), "folder": str(folder), "said": said}
            self._program.stdin.write(json.dumps(order) + "\n")
            self._program.stdin.flush()
            ended = self._program.stdout.readline()
            assert ended, "the program from which commands are forked has ended"
            out, err = (Path(name).read_bytes().decode() for name in said)
        return int(ended), out, err

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            with self._program:
                self._program.stdin.close()


def main() -> None:
    """Run orders until there are no more."""
    for top in (schemas, connector, warehouse, sandbox, flows):
        for module in walk_packages(top.__path__, f"{top.__name__}."):
            if not module.name.startswith(HEAVY) and not module.name.endswith("__main__"):
                import_module(module.name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _be(**order)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _be(args: list[str], environment: dict[str, str], folder: str, said: list[str]) -> NoReturn:
    """Be `ninja-sync` with these arguments."""
    code = 1
    try:
        for number, file in ((0, "/dev/null"), *zip((1, 2), said, strict=True)):
            opened = os.open(file, os.O_RDWR | os.O_CREAT)
            os.dup2(opened, number)
            os.close(opened)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        os.chdir(folder)
        sys.argv = [str(COMMAND), *args]
        code = _main()
    finally:
        os._exit(code)


def _main() -> int:
    import atexit  # noqa: PLC0415 - here, and nowhere else

    from flows.cli.start import main as command  # noqa: PLC0415 - imported already, with all it needs

    code = 0
    try:
        command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself ends
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
