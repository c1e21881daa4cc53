"""An application of ours behind a real port, for as long as a test needs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.browser import HERE


@contextmanager
def served(make: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve what `make` returns for an address, in a thread. Yield the address."""
    with socket.create_server((HERE, 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://{HERE}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make(url), log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.005)
            yield url
        finally:
            server.should_exit = True
            thread.join()
