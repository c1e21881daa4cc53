"""A run of pytest in a fork of a process that has imported what is not ours: the planter must come before what is.

This imports nothing of the project, so that nothing is imported before the mistake is planted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NOT_OURS = ["duckdb", "httpx", "hypothesis", "msgspec", "psycopg", "pyarrow.ipc", "pytest", "starlette", "uvicorn"]
"""What such runs import, by the tens: most of what a short one takes."""


def run_pytest(told: Sequence[str], folder: Path, environment: Mapping[str, str], said: Path) -> None:
    """Be `python -m pytest` with these arguments, in this folder and environment; what it says goes into a file."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest  # noqa: PLC0415 - imported already, if all is well

    sys.exit(pytest.main(list(told)))
