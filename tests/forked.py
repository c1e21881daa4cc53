"""Commands of `ninja-sync` as processes of their own, each forked from one program that has imported everything.

To import it takes most of the time that a command takes. The program is `tests.forked_program`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("ninja-sync")
ONE_THREAD = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}


class Commands:
    """The program, started for the first command."""

    def __init__(self) -> None:
        self._program: subprocess.Popen[str] | None = None

    def run(self, args: list[str], environment: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
        """One command: its exit code, its standard output, its standard error."""
        if self._program is None:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.forked_program"], cwd=ROOT,
                env={"PATH": os.environ["PATH"], **ONE_THREAD},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as kept:
            said = [str(Path(kept) / name) for name in ("out", "err")]
            order = {"args": args, "environment": dict(environment), "folder": str(folder), "said": said}
            self._program.stdin.write(json.dumps(order) + "\n")
            self._program.stdin.flush()
            ended = self._program.stdout.readline()
            assert ended, "the program from which commands are forked has ended"
            out, err = (Path(name).read_text("utf-8") for name in said)
        return int(ended), out, err

    def close(self) -> None:
        """End the program."""
        if self._program is not None:
            with self._program:
                self._program.stdin.close()
