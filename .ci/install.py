"""Install locked packages, and this project as it stands here, into an environment.

    python3 .ci/install.py .venv requirements.lock

uv installs in seconds; pip, which takes a minute or more, does it where uv cannot. Both check the hash of every file.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_LOCK = ROOT / ".ci" / "uv.lock"
LOCKED = ["--no-deps", "--require-hashes"]  # a lock names every package, so nothing is resolved
PROJECT = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_OFFLINE",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
}


def main() -> None:
    """Read the command line, and install."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("locks", type=Path, nargs="+", metavar="lock")
    parser.add_argument("--packages-only", action="store_true", help="leave this project out")
    asked = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever installs may have an older one
        sys.exit("Ninja Sync needs Python 3.11 or newer: make PYTHON=python3.11")
    python = asked.environment / "bin" / "python"
    if not python.exists():
        venv.create(asked.environment, symlinks=True, with_pip=True)
    steps = [[*LOCKED, *(word for lock in asked.locks for word in ("-r", str(lock)))]]
    if not asked.packages_only:
        steps.append(PROJECT)
    if not install_with_uv(python, steps):
        sys.stderr.write("uv cannot install this here. pip does: it takes a minute or two.\n")
        install_with_pip(python, steps)


def install_with_uv(python: Path, steps: list[list[str]]) -> bool:
    """Return False where uv cannot be had, or fails. pip installs uv itself, from its own lock."""
    get_uv = [*pip(python), "install", "--quiet", *LOCKED, "--only-binary", ":all:", "-r", str(UV_LOCK)]
    if subprocess.run(get_uv, capture_output=True, check=False).returncode:
        return False
    uv = [str(python.with_name("uv")), "pip", "install", "--quiet", "--python", str(python)]
    environment = environment_of_uv(python)
    return all(subprocess.run([*uv, *step], env=environment, check=False).returncode == 0 for step in steps)


def install_with_pip(python: Path, steps: list[list[str]]) -> None:
    """End this program with pip's exit code where pip fails."""
    for step in steps:
        if failed := subprocess.run([*pip(python), "install", "--quiet", *step], check=False).returncode:
            sys.exit(failed)


def pip(python: Path) -> list[str]:
    """Run the pip of an environment, with no word about newer releases of pip."""
    return [str(python), "-m", "pip", "--disable-pip-version-check"]


def environment_of_uv(python: Path) -> dict[str, str]:
    """The environment for uv, with this machine's settings of pip in uv's names: uv does not read them itself.

    What is set for uv itself stands. Like pip, uv then takes a release from any index: its hash says if it is right.
    """
    lines = subprocess.run([*pip(python), "config", "list"], capture_output=True, text=True, check=True).stdout
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **in_words_of_uv(lines), **os.environ}


def in_words_of_uv(settings: str) -> dict[str, str]:
    """Translate what `pip config list` prints. The environment counts most, then `[install]`, then `[global]`."""
    values: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in settings.splitlines():
            name, equals, value = line.partition("=")
            if equals and name.startswith(section):
                values[name.removeprefix(section)] = " ".join(str(ast.literal_eval(value)).split())
    if "find-links" in values:  # a folder that is not there ends uv; pip passes it over
        places = [place for place in values["find-links"].split() if "://" in place or Path(place).is_dir()]
        values["find-links"] = ",".join(places)
    return {UV_NAMES[name]: value for name, value in values.items() if name in UV_NAMES and value}


if __name__ == "__main__":
    main()
