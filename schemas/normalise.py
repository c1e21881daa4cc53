"""Turns records as the server sends them into typed rows of a parent and its children, without secrets.

Parent and children are one unit. Where any part does not fit, the whole record goes into quarantine; the report names
the entity, id, field and kind of value, and never a person's data. A field that the server sends and no entity knows is
drift: it is kept in the record and reported, never an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import groupby, islice

import msgspec
from msgspec.structs import replace

from schemas.columns import Columns, typed
from schemas.entity import Entity, Field
from schemas.scrub import scrubbed
from schemas.shape import Shaped, as_sent, layout_of
from schemas.values import CONVERT, LONGEST_KEY, Unfit, holds_nul, numbered_id, to_json

Values = tuple[object, ...]

AT_ONCE = 250
"""Shaped records typed together: their values fit into a processor's cache, and an odd one slows down few others."""

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
    """The result for a page: its `parts` in the order of the records, columns of shaped ones or rows of others."""

    parts: list[Columns | list[TypedRow]] = []
    quarantined: list[Quarantined] = []
    drift: set[Drift] = set()

    @property
    def rows(self) -> list[TypedRow]:
        """The records that were typed one by one."""
        return [row for part in self.parts if isinstance(part, list) for row in part]

    @property
    def columns(self) -> list[Columns]:
        """The records that were typed together."""
        return [part for part in self.parts if isinstance(part, Columns)]

    @property
    def ids(self) -> list[str]:
        """The ids of all records that fit, in their order."""
        return [
            key for part in self.parts for key in ([row.id for row in part] if isinstance(part, list) else part.ids)
        ]


def normalise(entity: Entity, records: Iterable[object]) -> Batch:
    """The typed form of shaped or decoded records. It takes the secrets out of the shaped ones."""
    batch = Batch()
    for kind, group in groupby(records, key=type):
        if issubclass(kind, Shaped):
            rest = iter(group)
            while some := list(islice(rest, AT_ONCE)):
                _at_once(entity, some, batch)  # type: ignore[arg-type]  # records of one shape
        else:
            _one_by_one(entity, group, batch)
    batch.quarantined = told_apart(batch.quarantined)
    return batch


def _at_once(entity: Entity, records: list[Shaped], batch: Batch) -> None:
    """Add many shaped records; one by one where a value in them is odd."""
    columns = typed(records)
    if columns is None:
        _one_by_one(entity, map(as_sent, records), batch)
        return
    layout = layout_of(records[0])
    batch.parts.append(columns)
    batch.drift |= _drift(entity, layout.keys)
    for child, family in zip(layout.children, columns.children, strict=True):
        if family.keys:
            batch.drift |= _drift(child.entity, family.keys)


def _one_by_one(entity: Entity, records: Iterable[object], batch: Batch) -> None:
    rows: list[TypedRow] = []
    for record in records:
        try:
            rows.append(_row(entity, record, batch.drift))
        except _Misfit as misfit:
            batch.quarantined.append(_quarantined(entity, record, misfit))
        except RecursionError:  # the decoder, written in C, goes deeper than Python does
            batch.quarantined.append(_quarantined(entity, record, _Misfit("record", "is nested too deeply")))
    if rows:
        batch.parts.append(rows)


class _Misfit(Exception):
    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason


def _row(entity: Entity, record: object, drift: set[Drift]) -> TypedRow:
    if not isinstance(record, dict):
        raise _Misfit("record", "is not an object")
    values = _values(entity, record, drift, "")
    key, stamp = record.get("id"), record.get("updated_at")
    if not isinstance(key, str) or not key:
        raise _Misfit("id", "is missing")
    children = tuple(_children(child, record, drift) for child in entity.children)
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
    if child.json_key not in record:  # a missing list is not an empty one, which would delete all the children
        raise _Misfit(child.json_key, "is missing")
    items = record[child.json_key]
    if not isinstance(items, list):
        raise _Misfit(child.json_key, "is not a list")
    rows = []
    for number, item in enumerate(items):
        place = f"{child.json_key}[{number}]"
        if not isinstance(item, dict):
            raise _Misfit(place, "is not an object")
        values = _values(child, item, drift, place + ".")
        if child.numbered:
            values = (numbered_id(record["id"], number + 1), number + 1, *values)
        if values[0] is None:
            raise _Misfit(place + ".id", "is missing")
        rows.append(values)
    return tuple(rows)


def _values(entity: Entity, record: dict[str, object], drift: set[Drift], place: str) -> Values:
    """The values of an entity's fields, in their order."""
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
    return tuple((f.name, f.json_key, f.inside, CONVERT[f.kind], f.vital) for f in entity.sent)


@cache
def _keys(entity: Entity) -> frozenset[str]:
    """All keys of this entity's records on a server like the recorded one."""
    own = {f.inside or f.json_key for f in entity.sent}
    return frozenset(own | {c.json_key for c in entity.children} | entity.secrets)


def _drift(entity: Entity, keys: Iterable[str]) -> frozenset[Drift]:
    return _drift_of(entity, frozenset(keys))


@lru_cache(maxsize=256)
def _drift_of(entity: Entity, keys: frozenset[str]) -> frozenset[Drift]:
    new = map(_shown_key, keys - _keys(entity) - entity.elsewhere)
    missing = frozenset[str]() if entity.sparse else _keys(entity) - keys - entity.secrets
    return frozenset({Drift(entity.name, k, "new") for k in new} | {Drift(entity.name, k, "missing") for k in missing})


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
