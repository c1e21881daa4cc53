"""Several threads shape their first records at once: the libraries' own state must survive that."""

from __future__ import annotations

import subprocess
import sys

TOGETHER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from schemas.entities import CLIENTS
from schemas.shape import Shapes, Shaped
from schemas.values import to_json
from tests.schemas.schema_records import client

sys.setswitchinterval(1e-6)
for number in range(60):
    body = to_json(client(**{f"new{number}": 1})).encode()  # keys that no thread has seen
    shapes, start = Shapes(CLIENTS), threading.Barrier(8)

    def shaped(_):
        start.wait()
        return shapes.record(body)

    with ThreadPoolExecutor(8) as pool:
        assert all(isinstance(record, Shaped) for record in pool.map(shaped, range(8)))
"""


def test_threads_that_make_decoders_of_the_same_keys_at_once_do_not_crash_the_process():
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", TOGETHER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
