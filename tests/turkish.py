"""A Postgres whose databases may speak Turkish, where the small letter of I is ı: by the system's own locale."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.postgres import ENVIRONMENT, Cluster, running_postgres

needs_turkish = pytest.mark.skipif(
    not Path("/usr/share/i18n/locales/tr_TR").exists() or shutil.which("localedef") is None,
    reason="the source of the Turkish locale is not on this machine: as root, `apt-get install locales`",
)
LOCALE = "tr_TR.UTF-8"


@contextmanager
def turkish_postgres() -> Iterator[tuple[Cluster, str]]:
    """A server, and the name of a Turkish database on it. Its locale is compiled for it."""
    with TemporaryDirectory(prefix="ninja-sync-locale-") as folder, pytest.MonkeyPatch.context() as environment:
        Path(folder).chmod(0o755)  # the server may be another user
        subprocess.run(
            ["localedef", "-i", "tr_TR", "-f", "UTF-8", f"{folder}/{LOCALE}"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        environment.setitem(ENVIRONMENT, "LOCPATH", folder)
        with running_postgres() as cluster:
            with cluster.admin() as connection:
                connection.execute(f"create database turkish template template0 encoding 'UTF8' locale '{LOCALE}'")
            with cluster.admin("turkish") as connection:
                assert connection.execute("select lower('I')").fetchone() == ("ı",)
            yield cluster, "turkish"
