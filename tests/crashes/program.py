"""`ninja-sync pull` as a process of its own, as a scheduler starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
CALL = "from flows.cli.app import main; main()"
STOPPED = "ninja-sync: stopped; all stored data is complete, and the next run continues from there."
CONFIGURATION = """
warehouse = "{path}"
[sources.main]
url = "{url}"
page_size = 25
requests_per_second = 1000.0
look_back = 60
"""


def start(path: Path, box: Sandbox, *before: str) -> subprocess.Popen[str]:
    """Start it behind the words of another program, as the leader of a group, as a terminal does."""
    pull = [sys.executable, "-c", CALL, "pull"]
    file = path.parent.with_name(f"{path.parent.name}.toml")
    file.write_text(CONFIGURATION.format(path=path, url=box.url))
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(file.parent), "NINJA_SYNC_CONFIG": str(file),
        "NINJA_SYNC_TOKEN": box.token, "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    return subprocess.Popen(
        [*before, *pull],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
