"""Looking for secrets in everything a run leaves: files, tables, Parquet, output; raw, escaped, hex and base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

LARGE = 1_000_000
TOKEN = 64
"""The length of an API token, which is searched for everywhere."""


WORDS = frozenset({"contact_key", "client_hash", "company_key", "hash", "token", "gateway_customer_reference"})
"""Keys of secrets as Invoice Ninja names them: a list of its own, so that no filter is compared with itself."""


def secrets_in(value: object) -> set[str]:
    """The secrets of a decoded answer: what stands under their keys, links, and the key in a contact's link."""
    if isinstance(value, list):
        return set().union(*map(secrets_in, value))
    if not isinstance(value, dict):
        return set()
    own = {v for k, v in value.items() if k in WORDS and isinstance(v, str) and v}
    links = {v for k, v in value.items() if k in {"link", "url"} and isinstance(v, str) and v}
    keys = {link.rpartition("/")[2] for link in links if "key_login" in link}
    return own | links | keys | set().union(*map(secrets_in, value.values()))


def forms(secret: str) -> set[bytes]:
    """The ways in which a text can stand in a file: raw, as JSON, as hex, as base64 at each of its three offsets."""
    raw = secret.encode()
    found = {raw, json.dumps(secret)[1:-1].encode(), raw.replace(b"/", b"\\/"), raw.hex().encode()}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw)
        found.add(coded[(0, 2, 3)[offset] : len(coded) - 4])  # the ends depend on what stands beside
    return found


def leaks(secrets: set[str], places: Iterator[tuple[str, bytes]]) -> list[str]:
    """`place: secret` for each secret found in any form.

    A database file is searched for every 25th secret and the longest ones alone, byte by byte; its cells, which are
    given as a place of their own, for all of them.
    """
    wanted = {secret: forms(secret) for secret in sorted(secrets, key=len, reverse=True)}
    few = {secret: found for n, (secret, found) in enumerate(wanted.items()) if n % 25 == 0 or len(secret) == TOKEN}
    found = []
    for place, content in places:
        for secret, ways in (few if len(content) > LARGE else wanted).items():
            if any(way in content for way in ways):
                found.append(f"{place}: {secret[:6]}...")
    return found


def left_behind(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, and every cell of the databases, Parquet and Arrow files among them."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield str(path), path.read_bytes()
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = connection.execute(
                    "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
                ).fetchall()
                for schema, table in tables:
                    rows = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
                    yield f"{path}:{schema}.{table}", repr(rows).encode()
        elif path.suffix == ".parquet":
            yield f"{path}:rows", repr(duckdb.read_parquet(str(path)).fetchall()).encode()
        elif path.suffix == ".arrow":
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
                yield f"{path}:rows", repr(reader.read_all().to_pylist()).encode()
