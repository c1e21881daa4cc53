"""Which addresses the door may talk to: https anywhere, http only to this machine.

The rules are a closed grammar (one regular expression), not a blacklist. A text that two URL parsers could read
differently, `https://a@b` or `http://0x7f.1`, is not an address at all.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import msgspec

from schemas.errors import SettingsError

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[0-9a-z._~-]*)*)",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME = 253
_LAST_PORT = 65535
DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    """A checked address; two addresses of one `origin` may share a secret."""

    scheme: str
    host: str  # in lower case; an IPv6 address with its brackets
    port: int
    path: str  # '' or '/…', without a slash at its end

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port, as browsers define it."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


def server_address(text: str) -> Address:
    """The address of an Invoice Ninja server; `/` and `/api/v1` at its end are dropped.

    Raises `SettingsError` for every other form. The error never repeats the text, which may hold a password.
    """
    address = _address(text, "url")
    if address.scheme == "http" and not is_loopback(address.host):
        raise SettingsError("url must begin with https://: over http:// everyone on the way can read the token.")
    path = address.path.removesuffix("/api/v1")
    if {".", ".."} & set(path.split("/")) or "//" in path:
        raise SettingsError("url has a path with '.', '..' or '//' in it: write the plain path.")
    return Address(address.scheme, address.host, address.port, path.rstrip("/"))


def proxy_address(text: str) -> Address:
    """The address of an HTTP proxy: no password, no path. Raises `SettingsError`."""
    address = _address(text, "proxy")
    if address.path:
        raise SettingsError("proxy has a path: write http://host:port.")
    return address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1, in their plain forms."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _address(text: str, name: str) -> Address:
    match = _URL.fullmatch(text)
    if match is None:
        raise SettingsError(f"{name} {_what_is_wrong(text)} Write it as https://host or https://host:port.")
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port <= _LAST_PORT:
        raise SettingsError(f"{name} has a port that does not exist: ports go from 1 to {_LAST_PORT}.")
    fault = _fault_of_ip(host) if host.startswith("[") or _ends_in_number(host) else _fault_of_name(host)
    if fault:
        raise SettingsError(f"{name} {fault}")
    if host.startswith("["):
        host = f"[{ipaddress.ip_address(host[1:-1])}]"  # one spelling
    return Address(scheme, host, port, match["path"].rstrip("/"))


def _what_is_wrong(text: str) -> str:
    if not text.isascii():
        return "holds characters that are not ASCII: write the host in its xn--… form."
    if "@" in text:
        return "holds a user name or password ('@'): the token goes into NINJA_SYNC_TOKEN."
    if "?" in text or "#" in text:
        return "holds a '?' or '#': remove it and everything after it."
    return "is not an address this program can use."


def _ends_in_number(host: str) -> bool:
    """Whether some resolver reads the host as an IPv4 address: `2130706433`, `0x7f.1`, `127.1`."""
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def _fault_of_ip(host: str) -> str | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "has a host that looks like an IP address but is not a plain one: write 127.0.0.1 or [::1]."
    mapped = isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo)
    if mapped or address.is_unspecified or address in ipaddress.ip_network("0.0.0.0/8"):
        return "has an IP address that stands for another one (0.0.0.0, ::, ::ffff:…): write that address itself."
    return None


def _fault_of_name(host: str) -> str | None:
    if host.endswith("."):
        return "has a host that ends in a dot: remove it."
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, host.split("."))):
        return "has a host that is not a DNS name."
    return None
