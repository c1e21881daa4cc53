"""Decodes records straight into a class that is made for their keys: one object a record, each value of a known type.

A server sends all its records with the same keys. So the keys of one record make a class (`shape`), and its decoder
reads whole pages at C speed. It is strict: a key too many or too few, a null in a list's place, or a value of another
type makes it refuse the page. Then each record is tried alone, and one that its own shape refuses is decoded as a plain
dict. `schemas.normalise` takes those one by one, and names the fault.

A class has one order of keys: that of the record it was made from. A server sends all records in that order, and for
one that does not, the keys of a kept record are in another order than on the wire; their values are the same.

Children of a sparse entity, such as the lines of an invoice, leave keys out, each child others. Their class has all
keys seen so far. Each may be missing; its value is then UNSET.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache
from itertools import chain
from threading import Lock
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, Raw

from schemas.entity import Entity, Field, Kind
from schemas.scrub import searched
from schemas.values import CONVERT, LAST_SECOND, Unfit, to_json, to_json_bytes

GENERIC = msgspec.json.Decoder(float_hook=Decimal)
"""Decodes any JSON, with exact decimals."""

FAULTS = (ValueError, ArithmeticError, RecursionError)
"""The errors of decoding: msgspec's and bad UTF-8 are ValueErrors, `1e99999999999999999999` is an ArithmeticError."""

NUL = b"\\u0000"
"""A text with this character does not fit; a JSON text cannot hold it in another form."""

MOST_LAYOUTS = 64
"""Layouts for which classes are made; a server whose records all differ is read one record at a time."""

_MAKING = Lock()
"""Decoders are made by one thread at a time: msgspec 0.22 crashes where two make them for one class at once."""

_SHORT = 2000
"""Bytes of a free value that is remembered; longer ones are seldom the same twice."""

_TYPE: dict[Kind, Any] = {
    Kind.TEXT: str | None,
    Kind.LINK: str | None,
    Kind.MAIL: str | None,
    Kind.TIME: Annotated[int, Meta(ge=0, le=LAST_SECOND)] | None,
    Kind.FLAG: bool | None,
    Kind.COUNT: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None,
    Kind.DATE: str | None,
    Kind.MONEY: Any,  # an int or a Decimal: the text says which, and the record keeps it
    Kind.NUMBER: Any,
    Kind.SETTING: Any,
}


class Layout(NamedTuple):
    """The keys of an entity's records, in the server's order, and those of their children."""

    entity: Entity
    keys: tuple[str, ...]
    children: tuple[Layout, ...]

    @property
    def optional(self) -> bool:
        """Whether a record may leave keys out: only children do."""
        return self.entity.sparse and not self.entity.path


class Shaped(msgspec.Struct):
    """A record of one shape. Its class has the `layout`; an attribute has the name that `attribute` gives."""


def layout_of(record: Shaped) -> Layout:
    """Return the layout of a shaped record."""
    layout: Layout = type(record).layout  # type: ignore[attr-defined]  # of the made class
    return layout


def value_of(record: object, key: str, default: object = None) -> object:
    """Return a record's own value of a key, whether it is shaped or decoded; the default if there is none."""
    return record.get(key, default) if isinstance(record, dict) else getattr(record, key, default)


class Free(NamedTuple):
    """A value of no fixed form, as decoded; its JSON without secrets, as the record keeps it and as a column has it.

    `inside` are the values of the fields inside it, in their order; None if one does not fit.
    """

    value: object
    kept: Raw
    text: str | None
    inside: tuple[object, ...] | None


@cache
def unseen(entity: Entity) -> Layout:
    """Return the layout before any record was seen: no record fits it."""
    return Layout(entity, (), tuple(map(unseen, entity.children)))


@cache
def _kinds(entity: Entity) -> dict[str, Kind]:
    return {field.json_key: field.kind for field in entity.sent if not field.inside}


@lru_cache(maxsize=4096)  # keys are the server's: the memory for them must end somewhere
def attribute(entity: Entity, key: str) -> str:
    """Return the name of a key's attribute: the key itself if it is known, else a name that no field has."""
    known = _kinds(entity).keys() | entity.secrets | {child.json_key for child in entity.children}
    return key if key in known else f"_{key.encode().hex()}"


@lru_cache(maxsize=MOST_LAYOUTS)
def free_keys(layout: Layout) -> tuple[str, ...]:
    """Return the keys whose values have no fixed form and make a column: those of kind JSON, or with fields inside."""
    kinds = _kinds(layout.entity)
    return tuple(key for key in layout.keys if kinds.get(key) is Kind.JSON or inside(layout.entity, key))


@lru_cache(maxsize=MOST_LAYOUTS)
def loose_keys(layout: Layout) -> tuple[str, ...]:
    """Return the keys whose values have no fixed form and make no column; only the record keeps them."""
    fixed = _kinds(layout.entity).keys() | {child.entity.json_key for child in layout.children}
    fixed |= layout.entity.secrets | set(free_keys(layout))
    return tuple(key for key in layout.keys if key not in fixed)


@cache
def inside(entity: Entity, key: str) -> tuple[Field, ...]:
    """Return the fields whose values are inside the object of this key."""
    return tuple(field for field in entity.fields if field.inside == key)


@lru_cache(maxsize=MOST_LAYOUTS)
def shape(layout: Layout) -> type[Shaped]:
    """Return the class of records with these keys. Raises ValueError for keys that no class can have."""
    kinds = _kinds(layout.entity)
    lists = {child.entity.json_key: list[shape(child)] for child in layout.children}  # type: ignore[misc]
    anything = dict.fromkeys(chain(loose_keys(layout), layout.entity.secrets), Any)
    types = {**dict.fromkeys(free_keys(layout), Raw), **anything, **lists}
    named = {attribute(layout.entity, key): key for key in layout.keys}
    missing = UNSET if layout.optional else NODEFAULT
    made: type[Shaped] = msgspec.defstruct(  # type: ignore[assignment]  # by its bases
        layout.entity.name,
        [(name, types.get(key) or _TYPE[kinds[key]], missing) for name, key in named.items()],
        bases=(Shaped,),
        namespace={"layout": layout, "free": _free_places(layout), "nested": _nested(layout)},
        rename=named,
        forbid_unknown_fields=True,
        gc=False,
    )
    return made


def _decoders(layout: Layout) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    """Return the decoder of a record, and of a page of them with its `meta`."""
    with _MAKING:
        return _made_decoders(layout)


@lru_cache(maxsize=MOST_LAYOUTS)
def _made_decoders(layout: Layout) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    record = shape(layout)
    page = msgspec.defstruct("Page", [("data", list[record]), ("meta", Any, None)])  # type: ignore[valid-type]
    return msgspec.json.Decoder(record, float_hook=Decimal), msgspec.json.Decoder(page, float_hook=Decimal)


class Shapes:
    """Decodes pages and records of one entity, by the layout that was seen last. Several threads may share it."""

    def __init__(self, entity: Entity) -> None:
        self._layout = unseen(entity)
        self._seen: set[Layout] = set()

    def page(self, body: bytes) -> dict[str, object] | None:
        """Return the page with its records shaped; None if a part of it has another shape."""
        page = _strictly(body, lambda: _decoders(self._layout)[1], lambda page: page.data)
        return page and {"data": page.data, "meta": page.meta}

    def record(self, body: bytes) -> object:
        """Return one record: shaped if its shape is ordinary, else as decoded. Raises the errors of decoding."""
        known = self._layout  # another thread may set it meanwhile
        if (shaped := _shaped(body, known)) is not None:
            return shaped
        record = GENERIC.decode(body)
        if not isinstance(record, dict) or (layout := _layout(known, record)) == known:
            return record
        if layout not in self._seen and len(self._seen) >= MOST_LAYOUTS:
            return record
        self._seen.add(layout)
        self._layout = layout
        return _shaped(body, layout) or record


def _shaped(body: bytes, layout: Layout) -> Shaped | None:
    shaped: Shaped | None = _strictly(body, lambda: _decoders(layout)[0], lambda record: [record])
    return shaped


def _strictly(
    body: bytes, decoder: Callable[[], msgspec.json.Decoder[Any]], records_of: Callable[[Any], list[Shaped]]
) -> Any:
    """Return a decoded page or record, with its free values; None if anything in it is odd."""
    if NUL in body:
        return None
    try:
        body.decode()  # the decoder leaves out the free values
        decoded = decoder().decode(body)
        for record in records_of(decoded):
            _set_free(record)
    except FAULTS:
        return None
    return decoded


def as_sent(record: Shaped) -> dict[str, object]:
    """Return the record as it would be if it had been decoded without a shape."""
    layout = layout_of(record)
    values = ((key, getattr(record, attribute(layout.entity, key))) for key in layout.keys)
    return {key: _sent(value) for key, value in values if value is not UNSET}


def _sent(value: object) -> object:
    if isinstance(value, Free):
        return value.value
    if isinstance(value, list):
        return [as_sent(item) if isinstance(item, Shaped) else item for item in value]
    return value


def _layout(known: Layout, record: dict[str, object]) -> Layout:
    """Return the layout of a record; of children that it does not have, the layout that is known."""
    children = []
    for child in known.children:
        items = record.get(child.entity.json_key)
        objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        children.append(_layout_of_all(child, objects) if objects else child)
    return Layout(known.entity, tuple(record), tuple(children))


def _layout_of_all(known: Layout, records: list[dict[str, object]]) -> Layout:
    """Return the layout of children: that of the first one or, if they leave keys out, one with all keys seen."""
    layout = _layout(known, records[0])
    return layout._replace(keys=tuple(dict.fromkeys(chain(known.keys, *records)))) if known.optional else layout


def _set_free(record: Shaped) -> None:
    """Decode the free values. The class has their places, because this runs for every record."""
    made: Any = type(record)
    for name, fields in made.free:
        if (sent := getattr(record, name)) is not UNSET:
            raw = bytes(sent)
            setattr(record, name, _short(raw, fields) if len(raw) < _SHORT else _free(raw, fields))
    for name in made.nested:
        for item in getattr(record, name):
            _set_free(item)


def _free_places(layout: Layout) -> list[tuple[str, tuple[Field, ...]]]:
    return [(attribute(layout.entity, key), inside(layout.entity, key)) for key in free_keys(layout)]


def _nested(layout: Layout) -> list[str]:
    """Return the lists of children with free values."""
    names = {child.entity.json_key for child in layout.children if free_keys(child)}
    return [key for key in layout.keys if key in names]


def _free(raw: bytes, fields: tuple[Field, ...]) -> Free:
    value = GENERIC.decode(raw)
    without = searched(value)
    holder = value if isinstance(value, dict) else {}
    try:
        within = tuple(CONVERT[field.kind](holder.get(field.json_key)) for field in fields)
    except Unfit:
        within = None
    return Free(value, Raw(to_json_bytes(without)), None if value is None else to_json(without or {}), within)


_short = lru_cache(maxsize=1024)(_free)
