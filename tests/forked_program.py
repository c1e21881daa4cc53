"""The program from which commands of `ninja-sync` are forked: it reads an order a line, and says how each one ended."""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
import traceback
from importlib import import_module
from pkgutil import walk_packages
from typing import NoReturn

import connector
import flows
import sandbox
import schemas
import warehouse
from flows.cli.start import main as command
from tests.forked import COMMAND

HEAVY = ("flows.scheduled", "flows.dedupe")
"""Their commands import them themselves, as they import Prefect and Splink."""


def main() -> None:
    """Run orders until there are no more."""
    for top in (schemas, connector, warehouse, sandbox, flows):
        for module in walk_packages(top.__path__, f"{top.__name__}."):
            if not module.name.startswith(HEAVY) and not module.name.endswith("__main__"):
                import_module(module.name)
    for needed in ("pyarrow.parquet", "rich.table", "typer._adapters"):
        import_module(needed)
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
