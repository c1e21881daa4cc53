"""The sockets below the door: every read and write obeys the deadline of the whole request.

httpx's read timeout starts again at every byte, so a server that drips one byte a second, in its headers or its body,
could hold a run for days.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import certifi
import httpx

from connector.door.address import is_loopback
from connector.door.halt import HALT, interruptible
from schemas.errors import SettingsError

if "h2" in sys.modules:
    import httpcore
else:  # httpcore imports h2 where another package brings it along: 0.01 s, and the door speaks no HTTP/2
    sys.modules["h2"] = None  # type: ignore[assignment]
    try:
        import httpcore
    finally:
        del sys.modules["h2"]  # others may speak it: httpcore then imports it at the first use

DEADLINE: Final[ContextVar[float]] = ContextVar("deadline", default=float("inf"))
"""The moment, on the wire's clock, when this thread's request must be over."""


def wire(
    *, only_loopback: bool, proxy: str | None, ca_file: Path | None, clock: Callable[[], float]
) -> httpx.HTTPTransport:
    """A transport that verifies certificates, follows no redirects, ignores the environment and keeps the `DEADLINE`.

    `only_loopback`: refuse a peer other than this machine, whatever address the resolver gives for `localhost`.
    """
    transport = httpx.HTTPTransport(
        verify=_certificates(ca_file, unused=only_loopback),
        trust_env=False,
        retries=0,
        proxy=_proxy(proxy) if proxy else None,
    )
    # httpx has no parameter for a network backend, httpcore has. The version is pinned (httpx < 0.29), and a test that
    # drips headers fails if this ever stops working.
    transport._pool._network_backend = _Sockets(only_loopback=only_loopback, clock=clock)  # noqa: SLF001
    return transport


def _proxy(url: str) -> httpx.Proxy:
    """The proxy; one that speaks TLS shows a certificate of a known authority."""
    return httpx.Proxy(url, ssl_context=_certificates(None, unused=False) if url.startswith("https:") else None)


def _certificates(ca_file: Path | None, *, unused: bool) -> ssl.SSLContext:
    """Trust certifi's authorities, or only those in `ca_file`. There is no switch to trust everybody.

    `unused`: for plain HTTP, trust nobody, because reading all authorities takes 20 ms.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # `create_default_context` would obey SSLKEYLOGFILE
    if ca_file is None and unused:
        return context
    try:
        context.load_verify_locations(cafile=certifi.where() if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise SettingsError(f"ca_file {ca_file} cannot be read as PEM certificates.") from None
    return context


class _Sockets(httpcore.NetworkBackend):
    """Opens sockets that keep the `DEADLINE`."""

    def __init__(
        self, *, only_loopback: bool, clock: Callable[[], float], inner: httpcore.NetworkBackend | None = None
    ) -> None:
        self._only_loopback, self._clock = only_loopback, clock
        self._inner = inner or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, and check the peer before a byte is sent."""
        timeout = _left(timeout, self._clock, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        if self._only_loopback and not _is_loopback_peer(stream):
            stream.close()
            raise SettingsError("url is http:// to a host that is not this machine; nothing was sent. Use https://.")
        return _Socket(stream, self._clock)


class _Socket(httpcore.NetworkStream):
    """A stream whose reads and writes all end at the `DEADLINE`."""

    def __init__(self, inner: httpcore.NetworkStream, clock: Callable[[], float]) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with interruptible(self._inner.get_extra_info("socket")):
            return self._inner.read(max_bytes, _left(timeout, self._clock, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with interruptible(self._inner.get_extra_info("socket")):
            self._inner.write(buffer, _left(timeout, self._clock, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, self._clock, httpcore.ConnectTimeout)
        return _Socket(self._inner.start_tls(ssl_context, server_hostname, timeout), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, clock: Callable[[], float], over: type[httpcore.TimeoutException]) -> float:
    left, halt = DEADLINE.get() - clock(), HALT.get()
    if left <= 0 or (halt is not None and halt.stopped):
        raise over("the deadline of the request has passed")
    return left if timeout is None else min(timeout, left)


def _is_loopback_peer(stream: httpcore.NetworkStream) -> bool:
    try:
        return is_loopback(str(stream.get_extra_info("server_addr")[0]))
    except OSError:  # the peer is gone already: the first read reports it
        return True
