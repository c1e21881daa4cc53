"""Where a text stands below a folder: in files and SQLite cells, plain or wrapped as programs wrap things."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

DEPTH = 3
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")


def leaks(folder: Path, *needles: str) -> list[str]:
    """The places that hold one of the needles, once each."""
    wanted = [needle.encode() for needle in needles]
    # All of it is read before a database is opened: that may empty the files beside it.
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    raw = {path.name for path, content in files.items() if any(needle in content for needle in wanted)}
    found = (
        place for place, cell in _cells(files) if any(needle in form for form in _forms(cell) for needle in wanted)
    )
    return sorted(raw.union(found))


def _cells(files: dict[Path, bytes]) -> Iterator[tuple[str, bytes]]:
    for path, content in files.items():
        if not content.startswith(b"SQLite format 3\0"):
            yield path.name, content
            continue
        with closing(sqlite3.connect(path)) as database:
            for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
                rows = database.execute(f'select * from "{table}"')
                names = [column[0] for column in rows.description]
                for row in rows:
                    for name, cell in zip(names, row, strict=True):
                        if isinstance(cell, str | bytes):
                            yield f"{path.name} {table}.{name}", cell.encode() if isinstance(cell, str) else cell


def _forms(cell: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """A cell as it is, and whatever it may be wrapped around: JSON, URLs, hex, base64, zlib and gzip, nested."""
    yield cell
    if depth:
        for inner in _unwrapped(cell):
            yield from _forms(inner, depth - 1)


def _unwrapped(cell: bytes) -> Iterator[bytes]:
    if b"\\" in cell:
        plain = ESCAPE.sub(lambda code: chr(int(code[1], 16)).encode("utf-8", "surrogatepass"), cell)
        yield re.sub(rb'\\(["\\/])', rb"\1", plain)
    if b"%" in cell:
        yield unquote_to_bytes(cell)
    for found in HEX.findall(cell):
        yield binascii.unhexlify(found)
    for found in BASE64.findall(cell):
        for start in range(4):  # what stands before it may be of the same letters
            chunk = found[start:].replace(b"-", b"+").replace(b"_", b"/")
            chunk = chunk[:-1] if len(chunk) % 4 == 1 else chunk
            yield base64.b64decode(chunk + b"=" * (-len(chunk) % 4))
    for unpack in (gzip.decompress, zlib.decompress):
        with suppress(OSError, EOFError, zlib.error):
            yield unpack(cell)
