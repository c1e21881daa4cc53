"""Very many drawn pages, compared on both roads: `python -m tests.schemas.pages 1000000 [seed]`, or `make pages`.

A page has a few clients; values are replaced, keys left out, added, doubled or moved, and bytes changed. The first page
on which the roads differ is printed with its number and seed, and ends the run.
"""

from __future__ import annotations

import copy
import random
import sys
from decimal import Decimal

from schemas.entities import CLIENTS
from schemas.shape import Shapes
from schemas.values import to_json
from tests.schemas.both_roads import compared, escaped, page
from tests.schemas.schema_records import DOCUMENT, client

KEYS = sorted({*client(), "portal_token", "shoe_size", 'a"b', ""})
CONTACT_KEYS = sorted({*client()["contacts"][0], "api_key", "shoe_size"})
DOCUMENT_KEYS = sorted({*DOCUMENT, "api_key", "shoe_size"})
PIECES = [
    b"\\u0000",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\xff",
    b"\xc3",
    b"NaN",
    b"1e400",
    b"-0",
    b"1.0",
    b"0.10",
    b"1E5",
    b"null",
    b'"id":"z",',
    b'"balance":"1.5",',
    b'"portal_token":"x",',
    b'"contacts":[],',
    b'"settings":[],',
    b"{",
    b"}",
    b",",
    b'"',
    b"9" * 30,
    b"[" * 40 + b"]" * 40,
    b'"settings":{"currency_id":1e400},',
    b'"e_invoice":{"a":"\xff"},',
]
"""Seldom valid where they are put."""

VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63,
    2**70,
    Decimal("1.50"),
    Decimal("-0.0"),
    Decimal("1e-7"),
    Decimal("1e20"),
    "",
    " ",
    "0",
    "a",
    "é/\n",
    "\U0001f600",
    "a\x00b",
    "\\u0000",
    "12.5",
    [],
    {},
    ["a"],
    {"smtp_password": "x"},
    {"a": {"api_key": 1}},
    "WjnegYbwZ1",
    "x" * 70,
    {"currency_id": 5},
    {"currency_id": ["a"]},
    [[]],
    [None],
    [{}],
)


def drawn(chance: random.Random) -> bytes:
    """A page of up to four clients, most of them a little odd."""
    records = [_record(chance) for _ in range(chance.randrange(5))]
    content = bytearray(page(records))
    while chance.random() < 0.2:
        at = chance.randrange(len(content))
        if chance.random() < 0.3:
            content[at] = chance.randrange(256)
        else:
            content[at:at] = chance.choice(PIECES)
    return bytes(content)


def _record(chance: random.Random) -> bytes:
    record = client(id=chance.choice("abc"))
    while chance.random() < 0.5:
        holder, keys = chance.choice([(record, KEYS), *_children(record)])
        key = chance.choice(keys)
        if chance.random() < 0.2:
            holder.pop(key, None)
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    if chance.random() < 0.1:
        items = list(record.items())
        chance.shuffle(items)
        record = dict(items)
    text = to_json(record)
    return (escaped(text) if chance.random() < 0.3 else text).encode()


def _children(record: dict[str, object]) -> list[tuple[dict[str, object], list[str]]]:
    named = (("contacts", CONTACT_KEYS), ("documents", DOCUMENT_KEYS))
    lists = [(record[name], keys) for name, keys in named if isinstance(record.get(name), list)]
    return [(item, keys) for items, keys in lists for item in items if isinstance(item, dict)]


def main(pages: int, seed: int) -> None:
    """Compare so many pages. The decoder has seen up to thirty pages before: more layouts, and it learns no more."""
    shapes = Shapes(CLIENTS)
    for number in range(pages):
        if not number % 30:
            shapes = Shapes(CLIENTS)
        content = drawn(random.Random(f"{seed}/{number}"))  # noqa: S311 - drawn data, not cryptography
        try:
            compared(content, shapes)
        except BaseException:
            print(f"page {number} of seed {seed}:", content, sep="\n")
            raise
        if not (number + 1) % 20_000:
            print(f"{number + 1:,} pages: the same on both roads", flush=True)
    print(f"{pages:,} pages compared, no difference")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
