"""One run at a time for each source: on DuckDB a lock on a file beside the warehouse, on Postgres an advisory lock.

The system releases the lock when its process ends, in any way, so a dead run never blocks the next one.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from schemas.errors import Busy, WarehouseError
from schemas.extras import needs
from warehouse.engine.place import Place, PostgresUrl
from warehouse.engine.private import check_ours, make_private_folder, reason


@contextmanager
def one_run_at_a_time(
    place: Place,
    source: str,
    *,
    wait: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Callable[[], bool]]:
    """Hold the lock of a source; yields a function that asks whether it is still held.

    Raises Busy, naming the process that holds it, after `wait` seconds. Postgres can end a lock before its run: an
    administrator, a pooler or a failover closes the connection. A lock on a file stays.
    """
    if isinstance(place, PostgresUrl):
        with needs("postgres"):
            from warehouse.locks.postgres_lock import one_run_on_postgres  # noqa: PLC0415 - not for DuckDB

        with one_run_on_postgres(place, source, wait=wait, clock=clock, sleep=sleep) as still_held:
            yield still_held
        return
    file = place.resolve()
    path = file.with_name(f"{file.name}.{source}.lock")
    make_private_folder(path.parent)
    check_ours(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as problem:
        raise WarehouseError(f"The folder {path.parent} cannot be written: {reason(problem)}.") from None
    try:
        _acquire(descriptor, source, clock() + wait, clock, sleep)
        with suppress(OSError):  # a full disk only keeps our process id out of the file; we still hold the lock
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield lambda: True
    finally:
        os.close(descriptor)  # releases the lock


def _acquire(
    descriptor: int, source: str, until: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock() >= until:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise Busy(f"Another run of the source {source!r} is under way: process {holder}.") from None
            sleep(0.1)
        else:
            return
