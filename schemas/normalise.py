"""Turns records as the server sends them into typed rows of a parent and its children, without secrets.

Parent and children are one unit. Where any part does not fit, the whole record goes into quarantine; the report names
the entity, id, field and kind of value, and never a person's data. A field that the server sends and no entity knows is
drift: it is kept in the record and reported, never an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from itertools import islice

import msgspec
from msgspec.structs import replace

from schemas.entity import Entity, Field
from schemas.ordinary import ordinary
from schemas.scrub import scrubbed
from schemas.values import CONVERT, LONGEST_KEY, Unfit, holds_nul, to_json

Values = tuple[object, ...]

AT_ONCE = 125
"""Records typed together: their values fit into a processor's cache, and an odd one slows down few others."""

_SHOWN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHOWN_KEY = 100
"""Characters kept of an unknown field's name: it is part of a key in the warehouse."""


class TypedRow(msgspec.Struct, frozen=True):
    """One record, ready to be staged: its own values, its hash, its JSON, and the values of its children by entity."""

    id: str
    updated_at: int | None
    values: Values
    row_hash: str
    record: str
    children: tuple[tuple[Values, ...], ...]


class Quarantined(msgspec.Struct, frozen=True):
    """A record that does not fit: the field and its entity, why, and the record without its secrets, if readable."""

    entity: str
    id: str
    field: str
    reason: str
    record: str | None = None

    def __str__(self) -> str:
        """One line for people, without personal data."""
        return f"{self.entity} {self.id}: {self.field} {self.reason}"


class Drift(msgspec.Struct, frozen=True, order=True):
    """A field that appeared (`new`) or that the server no longer sends (`missing`)."""

    entity: str
    field: str
    kind: str


class Batch(msgspec.Struct):
    """The result for a page of records."""

    rows: list[TypedRow] = []
    quarantined: list[Quarantined] = []
    drift: set[Drift] = set()


def normalise(entity: Entity, records: Iterable[object]) -> Batch:
    """The typed rows of decoded records, in the same order."""
    batch, rest = Batch(), iter(records)
    while some := list(islice(rest, AT_ONCE)):
        part = _ordinary(entity, some) or _one_by_one(entity, some)
        batch.rows += part.rows
        batch.quarantined += part.quarantined
        batch.drift |= part.drift
    batch.quarantined = told_apart(batch.quarantined)
    return batch


def _ordinary(entity: Entity, records: list[object]) -> Batch | None:
    """The batch of a page without anything odd."""
    page = ordinary(entity, records)
    if page is None:
        return None
    stamps = [stamp if isinstance(stamp, int) and stamp else None for stamp in (r.get("updated_at") for r in records)]  # type: ignore[attr-defined]
    ids = [values[0] for values in page.values]
    rows = list(map(TypedRow, ids, stamps, page.values, page.hashes, page.records, page.children))
    drift = {field for of, orders in page.keys.items() for keys in orders for field in _drift(of, keys)}
    return Batch(rows, drift=drift)


def _one_by_one(entity: Entity, records: list[object]) -> Batch:
    batch = Batch()
    for record in records:
        try:
            batch.rows.append(_row(entity, record, batch.drift))
        except _Misfit as misfit:
            batch.quarantined.append(_quarantined(entity, record, misfit))
        except RecursionError:  # the decoder, written in C, goes deeper than Python does
            batch.quarantined.append(_quarantined(entity, record, _Misfit("record", "is nested too deeply")))
    return batch


class _Misfit(Exception):
    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason


def _row(entity: Entity, record: object, drift: set[Drift]) -> TypedRow:
    if not isinstance(record, dict):
        raise _Misfit("record", "is not an object")
    values = _values(entity, record, drift, "")
    children = tuple(_children(child, record, drift) for child in entity.children)
    key, stamp = record.get("id"), record.get("updated_at")
    if not isinstance(key, str) or not key:
        raise _Misfit("id", "is missing")
    kept = to_json(scrubbed(entity, record))
    if holds_nul(kept):
        raise _Misfit("record", "holds a text with a NUL character")
    return TypedRow(
        id=key,
        updated_at=stamp if isinstance(stamp, int) and stamp else None,
        values=values,
        row_hash=_hash(entity, values, children),
        record=kept,
        children=children,
    )


def _children(child: Entity, record: dict[str, object], drift: set[Drift]) -> tuple[Values, ...]:
    if child.name not in record:  # a missing list is not an empty one, which would delete all children of this parent
        raise _Misfit(child.name, "is missing")
    items = record[child.name]
    if not isinstance(items, list):
        raise _Misfit(child.name, "is not a list")
    rows = []
    for number, item in enumerate(items):
        place = f"{child.name}[{number}]"
        if not isinstance(item, dict):
            raise _Misfit(place, "is not an object")
        values = _values(child, item, drift, place + ".")
        if values[0] is None:
            raise _Misfit(place + ".id", "is missing")
        rows.append(values)
    return tuple(rows)


def _values(entity: Entity, record: dict[str, object], drift: set[Drift], place: str) -> Values:
    """The values of an entity's fields, in their order. The loop is the hot path of a load: keep it flat."""
    if record.keys() != _keys(entity):
        drift |= _drift(entity, record)
    out = []
    for name, key, inside, convert, vital in _plan(entity):
        try:
            if inside:
                holder = record.get(inside)
                value = convert(holder.get(key) if isinstance(holder, dict) else None)
            else:
                value = convert(record.get(key))
        except Unfit as unfit:
            raise _Misfit(place + name, f"is {unfit}") from None
        if vital:
            if value is None:
                raise _Misfit(place + name, "is missing")
            if value.__class__ is str and len(value) > LONGEST_KEY:
                raise _Misfit(place + name, f"is longer than {LONGEST_KEY} characters, which no id of the server is")
        out.append(value)
    return tuple(out)


@cache
def _plan(entity: Entity) -> tuple[tuple[str, str, str, Callable[[object], object], bool], ...]:
    return tuple((f.name, f.json_key, f.inside, CONVERT[f.kind], f.vital) for f in entity.fields)


@cache
def _keys(entity: Entity) -> frozenset[str]:
    """All keys of this entity's records on a server like the recorded one."""
    own = {f.inside or f.json_key for f in entity.fields}
    return frozenset(own | {c.name for c in entity.children} | entity.secrets)


def _drift(entity: Entity, keys: Iterable[str]) -> set[Drift]:
    new = map(_shown_key, set(keys) - _keys(entity) - entity.elsewhere)
    missing = _keys(entity) - set(keys) - entity.secrets
    return {Drift(entity.name, key, "new") for key in new} | {Drift(entity.name, key, "missing") for key in missing}


def _shown_key(key: str) -> str:
    """The name of an unknown field, in a form that both engines can keep in a key."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in key[: _SHOWN_KEY + 1])
    return shown if len(shown) <= _SHOWN_KEY else shown[: _SHOWN_KEY - 1] + "…"


@cache
def _lasting(fields: Sequence[Field]) -> tuple[int, ...]:
    return tuple(i for i, f in enumerate(fields) if not f.volatile)


def _hash(entity: Entity, values: Values, children: tuple[tuple[Values, ...], ...]) -> str:
    """32 hex digits over everything that people call a change: not the stamps, and not the order of the children."""
    hashed: list[object] = [_without_volatile(entity.fields, values)]
    for child, rows in zip(entity.children, children, strict=True):
        hashed.append([_without_volatile(child.fields, row) for row in sorted(rows, key=lambda row: str(row[0]))])
    return blake2b(to_json(hashed).encode(), digest_size=16).hexdigest()


def _without_volatile(fields: tuple[Field, ...], values: Values) -> list[object]:
    return [values[i] for i in _lasting(fields)]


def _quarantined(entity: Entity, record: object, misfit: _Misfit) -> Quarantined:
    key, kept = "", None
    if isinstance(record, dict):
        sent_id = record.get("id")
        key = sent_id if isinstance(sent_id, str) and _SHOWN_ID.fullmatch(sent_id) else ""
        kept = _readable(entity, record)
    return Quarantined(entity.name, key or nameless(kept or ""), misfit.place, misfit.reason, kept)


def nameless(content: str | bytes) -> str:
    """A name to show for a record without an id: the same for the same content, and for no other."""
    raw = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
    return f"(no id, {blake2b(raw, digest_size=4).hexdigest()})"


def told_apart(quarantined: Iterable[Quarantined]) -> list[Quarantined]:
    """The records that one page set aside, each with its own name: equal ones without an id are numbered."""
    out: list[Quarantined] = []
    met: Counter[tuple[str, str]] = Counter()
    for record in quarantined:
        met[record.entity, record.id] += 1
        number = met[record.entity, record.id]
        again = number > 1 and record.id.startswith("(no id")
        out.append(replace(record, id=f"{record.id[:-1]}, number {number})") if again else record)
    return out


def _readable(entity: Entity, record: dict[str, object]) -> str | None:
    try:
        return to_json(scrubbed(entity, record))
    except RecursionError:
        return None
