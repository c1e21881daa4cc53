"""Certificates are verified, always; and where the token may go."""

from __future__ import annotations

import contextlib
import datetime
import ssl

import httpcore
import httpx
import pytest
import trustme

from connector.door.address import server_address
from connector.door.door import Door, DoorSettings, sign
from connector.door.secret import Secret
from connector.door.wire import _Sockets
from schemas.errors import NetworkFailed, Rejected, SettingsError
from tests.connector.door.faulty_server import PAGE, FaultyServer, answer, connect_tunnel, error

TOKEN = "canary-token-7Qx"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def tls(authority, *names, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


def door(url, **settings):
    return Door(
        DoorSettings(url, requests_per_second=1000.0, **{"attempts": 3, **settings}),
        Secret(TOKEN),
        sleep=lambda _: None,
        random=lambda: 0.5,
    )


def test_an_authority_of_ones_own_is_trusted_when_its_file_is_given(authority, ca_file):
    with FaultyServer(answer(), tls=tls(authority, "127.0.0.1")) as server, door(server.url, ca_file=ca_file) as it:
        assert it.get("/clients").body == PAGE


def test_an_unknown_authority_is_refused_at_once(authority):
    with (
        FaultyServer(answer(), tls=tls(authority, "127.0.0.1")) as server,
        door(server.url) as it,
        pytest.raises(Rejected, match=r"certificate is not accepted .*issuer.*nothing was sent.*ca_file"),
    ):
        it.get("/clients")
    assert (server.connections, server.requests, it.requests) == (1, [], 1)


def test_a_certificate_for_another_host_is_refused_at_once(authority, ca_file):
    served = tls(authority, "other.example")
    with (
        FaultyServer(answer(), tls=served) as server,
        door(server.url, ca_file=ca_file) as it,
        pytest.raises(Rejected, match=r"mismatch|not valid for"),
    ):
        it.get("/clients")
    assert (server.connections, server.requests) == (1, [])


def test_an_expired_certificate_is_refused_at_once(authority, ca_file):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    served = tls(authority, "127.0.0.1", not_before=past, not_after=past + datetime.timedelta(days=1))
    with (
        FaultyServer(answer(), tls=served) as server,
        door(server.url, ca_file=ca_file) as it,
        pytest.raises(Rejected, match="expired"),
    ):
        it.get("/clients")
    assert (server.connections, server.requests) == (1, [])


def test_plain_http_on_a_tls_port_is_no_connection(authority):
    with (
        FaultyServer(answer()) as server,
        door(server.url.replace("http:", "https:"), connect_timeout=0.3, attempts=1) as it,
        pytest.raises(NetworkFailed, match="No connection"),
    ):
        it.get("/clients")
    assert server.requests == []


@pytest.mark.parametrize("own", [True, False])
def test_the_keys_of_a_connection_are_written_nowhere(authority, ca_file, own, tmp_path, monkeypatch):
    """`SSLKEYLOGFILE` would let everybody who can read that file read the token on its way."""
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with FaultyServer(answer(), tls=tls(authority, "127.0.0.1")) as server:
        with door(server.url, ca_file=ca_file if own else None) as it, contextlib.suppress(Rejected):
            it.get("/clients")
        assert len(server.requests) == own
    assert not keys.exists()


def test_the_environments_certificates_are_not_used(authority, ca_file, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    with (
        FaultyServer(answer(), tls=tls(authority, "127.0.0.1")) as server,
        door(server.url) as it,
        pytest.raises(Rejected),
    ):
        it.get("/clients")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="ca_file"):
        door("https://ninja.example", ca_file=path)


def test_a_configured_proxy_sees_the_host_and_not_the_token():
    with (
        FaultyServer(connect_tunnel) as proxy,
        door("https://ninja.example", proxy=proxy.url, request_deadline=0.3, attempts=1) as it,
        pytest.raises(NetworkFailed),
    ):
        it.get("/clients")
    assert proxy.requests[0].startswith(b"CONNECT ninja.example:443 ")
    assert TOKEN.encode() not in b"".join(proxy.requests)


def test_a_proxy_that_refuses_is_named():
    with (
        FaultyServer(error(407, "Proxy Authentication Required")) as proxy,
        door("https://ninja.example", proxy=proxy.url) as it,
        pytest.raises(NetworkFailed, match="407"),
    ):
        it.get("/clients")


def test_localhost_that_is_another_machine_gets_nothing():
    class Elsewhere(httpcore.NetworkStream):
        closed = False

        def get_extra_info(self, _info):
            return ("192.0.2.7", 80)

        def close(self):
            self.closed = True

    class Resolver(httpcore.NetworkBackend):
        stream = Elsewhere()

        def connect_tcp(self, *_where):
            return self.stream

    sockets = _Sockets(only_loopback=True, clock=lambda: 0.0, inner=Resolver())
    with pytest.raises(SettingsError, match="not this machine; nothing was sent"):
        sockets.connect_tcp("localhost", 80)
    assert Resolver.stream.closed


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://ninja.example", "https://ninja.example/api/v1/clients?a=1"),
        ("https://ninja.example", "https://ninja.example:443/x"),
        ("https://ninja.example:8443/sub", "https://ninja.example:8443/sub/api/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/api/v1"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example/api/v1"),
    ],
)
def test_a_request_to_the_configured_origin_is_signed(base, url):
    request = httpx.Request("GET", url)
    sign(request, server_address(base), Secret(TOKEN))
    assert request.headers["X-API-TOKEN"] == TOKEN


@pytest.mark.parametrize(
    "url",
    [
        "http://ninja.example/",
        "https://ninja.example:8443/",
        "https://evil.example/",
        "https://ninja.example.evil.example/",
        "https://ninja.example@evil.example/",
        "https://sub.ninja.example/",
        "ftp://ninja.example/",
        "/api/v1/clients",
    ],
)
def test_a_request_to_any_other_origin_is_not_signed(url):
    request = httpx.Request("GET", url)
    with pytest.raises(Rejected, match="not sent"):
        sign(request, server_address("https://ninja.example"), Secret(TOKEN), Secret("pass-word"))
    assert not [name for name in request.headers if name.startswith("x-api")]
