"""Types many shaped records at once, column by column: the hot path of a load.

It makes the same values, hashes and records as `schemas.normalise` does one by one; a test compares them. Where a value
does not fit, it gives up, and the records are taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from msgspec import UNSET

from schemas.entity import Entity, Field, Kind
from schemas.scrub import always_kept, searched, sounds_secret
from schemas.shape import MOST_LAYOUTS, Free, Layout, Shaped, attribute, free_keys, inside, layout_of, loose_keys
from schemas.values import (
    LONGEST_KEY,
    NOBODY,
    ZERO,
    Unfit,
    date,
    mail,
    money,
    number,
    numbered_id,
    setting,
    to_json_lines,
)

Column = Sequence[Any]
_UNSET = type(UNSET)
_CONTAINERS = frozenset({dict, list})


class Children(msgspec.Struct, frozen=True):
    """The children of many records: a column for each field, how many each record has, and keys to report."""

    columns: Sequence[Column]
    counts: Sequence[int]
    keys: Sequence[str] = ()


class Columns(msgspec.Struct, frozen=True):
    """Many typed records: a column for each field, the hash and the JSON of each, and the children by entity."""

    columns: Sequence[Column]
    hashes: Sequence[str]
    records: Sequence[str]
    children: Sequence[Children]

    @property
    def ids(self) -> Sequence[str]:
        """The id of each record."""
        return self.columns[0]


def typed(records: Sequence[Shaped]) -> Columns | None:
    """Return the columns of records of one shape, and take the secrets out of the records; None if a value is odd."""
    layout = layout_of(records[0])
    families: list[tuple[Layout, list[Shaped], Children]] = []
    try:
        columns = _columns(layout, records)
        for child in layout.children:
            lists = list(map(attrgetter(child.entity.json_key), records))
            items, counts = list(chain.from_iterable(lists)), list(map(len, lists))
            own = _numbers(columns[0], counts) if child.entity.numbered else []
            families.append((child, items, Children([*own, *_columns(child, items)], counts, _came(child, items))))
        searched_ones = [_searched(owner, those) for owner, those, _ in [(layout, records, None), *families]]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    children = [family for _, _, family in families]
    hashes = _hashes(layout.entity, columns, children)
    _take_secrets_out(layout, records)
    for child, items, _ in families:
        _take_secrets_out(child, items)
    for name, owners, values in chain.from_iterable(searched_ones):
        for record, value in zip(owners, values, strict=True):
            setattr(record, name, value)
    written = to_json_lines(records).decode().split("\n")
    return Columns(columns, hashes, written[:-1], children)


_whole = lru_cache(maxsize=4096)(number)
"""Quantities, rates and prices are few, and most of them whole."""


def _columns(layout: Layout, records: Sequence[Shaped]) -> list[Column]:
    fields = layout.entity.sent
    if not records:
        return [()] * len(fields)
    sent = _sent(layout, records)
    missing: Column = [None] * len(records)
    columns: list[Column] = []
    for field in fields:
        key = (field.inside, field.json_key) if field.inside else field.json_key
        came = sent.get(key, missing)
        column = came if field.inside else _COLUMN[field.kind](came)
        if field.vital:
            _check_vital(field, column)
        columns.append(column)
    return columns


def _numbers(parents: Column, counts: Sequence[int]) -> list[Column]:
    """The columns that numbered children get from us: an id of the parent's id and the place, and the place."""
    places = [(parent, place) for parent, count in zip(parents, counts, strict=True) for place in range(1, count + 1)]
    return [[numbered_id(parent, place) for parent, place in places], [place for _, place in places]]


def _sent(layout: Layout, records: Sequence[Shaped]) -> dict[object, Column]:
    """The values unchanged, by key; those inside an object are typed already, and have both keys."""
    keys = _taken(layout)
    rows = map(attrgetter(*(attribute(layout.entity, key) for key in keys)), records)
    sent: dict[object, Column] = dict(zip(keys, zip(*rows, strict=True), strict=True))
    if layout.optional:
        sent = {key: _without_unset(column) for key, column in sent.items()}
    for key in keys:
        if fields := inside(layout.entity, key):
            places = ((key, field.json_key) for field in fields)
            sent |= zip(places, zip(*(free.inside for free in sent[key]), strict=True), strict=True)
    return sent


def _without_unset(column: Column) -> Column:
    return [None if value is UNSET else value for value in column] if _UNSET in set(map(type, column)) else column


def _came(layout: Layout, records: Sequence[Shaped]) -> Sequence[str]:
    """The keys that came, as far as a report of new and missing ones asks: of those that may be missing, the new."""
    if not layout.optional or not records:
        return layout.keys if records else ()
    new = set(loose_keys(layout)) - layout.entity.elsewhere
    values = {key: map(attrgetter(attribute(layout.entity, key)), records) for key in new}
    return [key for key, column in values.items() if set(map(type, column)) != {_UNSET}]


@lru_cache(maxsize=MOST_LAYOUTS)
def _taken(layout: Layout) -> tuple[str, ...]:
    wanted = {field.inside or field.json_key for field in layout.entity.sent}
    return tuple(key for key in layout.keys if key in wanted)


def _check_vital(field: Field, column: Column) -> None:
    if None in column or (field.kind is Kind.TEXT and max(map(len, column)) > LONGEST_KEY):
        raise Unfit("missing, or too long")


def _without_blanks(column: Column) -> Column:
    """Texts and times: an empty text and the time 0 mean "none"."""
    return [value or None for value in column]


def _links(column: Column) -> Column:
    return [None if value == NOBODY else value or None for value in column]


def _mails(column: Column) -> Column:
    return [mail(value) if value else None for value in column]


def _amounts(column: Column) -> Column:
    return [money(value) if value or value.__class__ is not int else ZERO for value in column]


def _same(column: Column) -> Column:
    return column


def _dates(column: Column) -> Column:
    return [date(value) if value else None for value in column]


def _numbers_sent(column: Column) -> Column:
    return [
        _whole(value) if value.__class__ is int else number(value) if value.__class__ is Decimal else _odd_number(value)
        for value in column
    ]


def _odd_number(value: object) -> Decimal | None:
    """A text with a number in it, or NULL. An object or a list may hold a secret, which the record must not keep."""
    if value.__class__ in _CONTAINERS:
        raise Unfit("an object or a list instead of a number")
    return number(value)


def _settings(column: Column) -> Column:
    return [(value or None) if value.__class__ is str else setting(value) for value in column]


def _jsons(column: Sequence[Free]) -> Column:
    if any(free.value is not None and not isinstance(free.value, (dict, list)) for free in column):
        raise Unfit("a value instead of an object")
    return [free.text for free in column]


_COLUMN: dict[Kind, Callable[[Column], Column]] = {
    Kind.TEXT: _without_blanks,
    Kind.LINK: _links,
    Kind.MAIL: _mails,
    Kind.MONEY: _amounts,
    Kind.TIME: _without_blanks,
    Kind.FLAG: _same,
    Kind.COUNT: _same,
    Kind.DATE: _dates,
    Kind.NUMBER: _numbers_sent,
    Kind.SETTING: _settings,
    Kind.JSON: _jsons,
}


def _hashes(entity: Entity, columns: Sequence[Column], children: Sequence[Children]) -> list[str]:
    """The hashes of `schemas.normalise`, over the same bytes."""
    families = [
        _sorted(_lasting(child, family.columns), family.counts)
        for child, family in zip(entity.children, children, strict=True)
    ]
    lines = to_json_lines(list(zip(_lasting(entity, columns), *families, strict=True)))
    return [blake2b(line, digest_size=16).hexdigest() for line in lines.split(b"\n")[:-1]]


def _lasting(entity: Entity, columns: Sequence[Column]) -> Iterable[tuple[Any, ...]]:
    lasting = [column for field, column in zip(entity.fields, columns, strict=True) if not field.volatile]
    return zip(*lasting, strict=True)


def _sorted(rows: Iterable[tuple[Any, ...]], counts: Sequence[int]) -> Iterable[list[tuple[Any, ...]]]:
    """The rows of each parent, in the order of their ids."""
    rest = iter(rows)
    return (sorted(islice(rest, count), key=_id) if count > 1 else list(islice(rest, count)) for count in counts)


_id = itemgetter(0)


def _take_secrets_out(layout: Layout, records: Sequence[Shaped]) -> None:
    """Take out what is never kept; free values are left without what they hold of it."""
    secrets, free = _secret_attributes(layout), _kept_attributes(layout, free_keys(layout))
    for record in records if secrets or free else ():
        for name in secrets:
            setattr(record, name, UNSET)
        for name in free:
            setattr(record, name, getattr(record, name).kept)


def _searched(layout: Layout, records: Sequence[Shaped]) -> list[tuple[str, Sequence[Shaped], Column]]:
    """Objects and lists in the place of loose values, without what they hold of secrets: by attribute."""
    names = _kept_attributes(layout, loose_keys(layout))
    if not names or not records:
        return []
    pair = attrgetter(names[0], *names)  # of one name alone it would make no tuple
    _, *columns = zip(*map(pair, records), strict=True)
    return [
        (name, records, [searched(value) for value in column])
        for name, column in zip(names, columns, strict=True)
        if not _CONTAINERS.isdisjoint(map(type, column))
    ]


@lru_cache(maxsize=MOST_LAYOUTS)
def _secret_attributes(layout: Layout) -> tuple[str, ...]:
    entity = layout.entity
    known = always_kept(entity) | {child.json_key for child in entity.children}
    dropped = [key for key in layout.keys if key not in known and (key in entity.secrets or sounds_secret(key))]
    return tuple(attribute(entity, key) for key in dropped)


@lru_cache(maxsize=2 * MOST_LAYOUTS)
def _kept_attributes(layout: Layout, keys: tuple[str, ...]) -> tuple[str, ...]:
    names = (attribute(layout.entity, key) for key in keys)
    return tuple(name for name in names if name not in _secret_attributes(layout))
