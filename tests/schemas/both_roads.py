"""The two roads from JSON to rows: shaped records in columns, and decoded ones one by one. Both make the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from connector.scan.pages import Malformed, read_page
from schemas.entities import CLIENTS
from schemas.errors import DataError
from schemas.normalise import Batch, TypedRow, normalise
from schemas.shape import GENERIC, Shapes
from schemas.values import to_json

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
META = b'{"pagination":{"total":3,"count":3,"per_page":5000,"current_page":1,"total_pages":1,"links":{}}}'


def page(records):
    """The answer of a server with these records."""
    return b'{"data":[' + b",".join(records) + b'],"meta":' + META + b"}"


def outcome(content, shapes=None, entity=CLIENTS):
    """What becomes of a page: the batch, and what was no JSON; or the error's type."""
    try:
        came = read_page(content, NOW, "5.10.42", shapes).records
    except DataError as problem:
        return type(problem), None
    malformed = [record for record in came if isinstance(record, Malformed)]
    return malformed, normalise(entity, [record for record in came if not isinstance(record, Malformed)])


def compared(content, shapes, entity=CLIENTS):
    """Fail if the roads make something else of a page. Returns the batch of the shaped one."""
    came, batch = outcome(content, shapes, entity)
    expected, plain = outcome(content, entity=entity)
    assert came == expected
    if plain is not None:
        same(entity, batch, plain)
    return batch


def escaped(text):
    """JSON as PHP writes it: what is not ASCII is escaped, and each slash."""
    return "".join(
        char if char.isascii() else "".join(f"\\u{unit:04x}" for unit in _units(char)) for char in text
    ).replace("/", "\\/")


def _units(char):
    raw = char.encode("utf-16-be")
    return [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw), 2)]


def both(entity, records) -> Batch:
    """What becomes of decoded records one by one, after comparing it with the other road."""
    bodies = [to_json(record).encode() for record in records]
    one_by_one = normalise(entity, records)
    assert one_by_one.columns == []
    same(entity, shaped(entity, bodies), one_by_one)
    return one_by_one


def shaped(entity, bodies, shapes=None) -> Batch:
    """What becomes of the JSON of records, shaped where they can be."""
    shapes = shapes or Shapes(entity)
    return normalise(entity, [shapes.record(body) for body in bodies])


def decoded(entity, bodies) -> Batch:
    """What becomes of the JSON of records one by one."""
    return normalise(entity, [GENERIC.decode(body) for body in bodies])


def same(entity, one: Batch, other: Batch) -> None:
    """Fail if two batches differ in anything but the order of the keys in a record."""
    assert _known(rows(entity, one)) == _known(rows(entity, other))
    assert _aside(one) == _aside(other)
    assert one.drift == other.drift
    assert one.ids == other.ids


def rows(entity, batch: Batch) -> list[TypedRow]:
    """All rows of a batch, those in columns as rows too."""
    stamped = [field.name for field in entity.fields].index
    out = list(batch.rows)
    for part in batch.columns:
        families = []
        for family in part.children:
            rest = iter(zip(*family.columns, strict=True))
            families.append([tuple(islice(rest, count)) for count in family.counts])
        children = zip(*families, strict=True) if families else [()] * len(part.ids)
        each = zip(zip(*part.columns, strict=True), part.hashes, part.records, children, strict=True)
        for values, row_hash, record, own in each:
            stamp = values[stamped("updated_at")] if "updated_at" in record else None
            out.append(TypedRow(values[0], stamp, values, row_hash, record, tuple(own)))
    return out


def _aside(batch):
    """What was set aside, in one order. A record without an id has a name made from its text."""
    return sorted(
        repr((q.id.partition(",")[0], q.field, q.reason, q.record and _sorted(q.record))) for q in batch.quarantined
    )


def _known(typed):
    """Rows in one order, with their values' types; of the record's JSON the order of keys does not count."""
    return sorted(repr((row.id, row.values, row.row_hash, row.children, _sorted(row.record))) for row in typed)


def _sorted(record):
    return json.dumps(json.loads(record, parse_float=Decimal), sort_keys=True, default=str)
