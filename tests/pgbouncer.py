"""A real PgBouncer before the tests' Postgres. `make test` installs Debian's package where it may; else tests skip."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.postgres import PASSWORD, Cluster, free_port
from warehouse.engine.place import PostgresUrl

PROGRAM = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="no PgBouncer on this machine: as root, `apt-get install pgbouncer`"
)
CONFIG = """
[databases]
* = host=127.0.0.1 port={server} user=postgres password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
server_lifetime = 3600
query_wait_timeout = 20
logfile = {folder}/log
"""


@contextmanager
def running_pgbouncer(cluster: Cluster, mode: str, size: int = 4) -> Iterator[int]:
    """A pooler in this mode, with so many connections a database; its port. It runs as `nobody` where we are root."""
    folder, port = Path(tempfile.mkdtemp(prefix="ninja-sync-pgbouncer-")), free_port()
    config = folder / "pgbouncer.ini"
    config.write_text(
        CONFIG.format(server=cluster.port, password=PASSWORD, port=port, mode=mode, size=size, folder=folder)
    )
    user = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
    if user:
        for one in (folder, config):
            shutil.chown(one, user)
    process = subprocess.Popen(
        [str(PROGRAM), str(config)], user=user, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(f"postgresql://any@127.0.0.1:{port}/postgres").close()
            except psycopg.OperationalError as problem:
                if process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"{problem} {(folder / 'log').read_text()}") from None
                time.sleep(0.05)
            else:
                break
        yield port
    finally:
        process.kill()  # SIGQUIT may be ignored here, as by all that a shell has started in the background
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def through(port: int, place: PostgresUrl) -> PostgresUrl:
    """A database as it is reached through the pooler."""
    return PostgresUrl.of(f"postgresql://postgres@127.0.0.1:{port}/{place.url.rpartition('/')[2]}")
