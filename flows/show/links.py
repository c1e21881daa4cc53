"""Links to records in Invoice Ninja's own app."""

from __future__ import annotations

from urllib.parse import quote


def link_in_app(url: str, path: str, key: str) -> str:
    """Return the address of a record in the app; empty if the server's address is not known."""
    tail = "" if path == "clients" else "/edit"
    return f"{url.rstrip('/')}/#/{path}/{quote(key, safe='')}{tail}" if url else ""
