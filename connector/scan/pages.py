"""One page of a list: its envelope checked, its records decoded with exact decimals.

The envelope is `{"data": [...], "meta": {"pagination": {...}}}`. An answer of another shape raises an error with a
name; it is never an empty page. A body that is empty or does not parse is `Unreadable`: PHP's json_encode gives false
for one row with bad UTF-8, and the controller sends an empty 200 for the whole page. The scan then asks for less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from schemas.errors import NetworkFailed, ServerUnavailable, UnexpectedShape, Unreadable
from schemas.normalise import nameless
from schemas.shape import FAULTS, GENERIC, Shapes

_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9]{1,64})"')

PAGE_CAP = 5000
"""Records a page at most (BaseController::resolveQueryLimit); a server with a lower cap says so in each page."""
MOST_RECORDS = 10**9
"""The largest credible total: no Invoice Ninja server holds so many records."""


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    meta: msgspec.Raw = msgspec.Raw(b"null")


class Malformed(msgspec.Struct, frozen=True):
    """A record that is not valid JSON on its page: its id, or a name made from its content."""

    id: str


class Page(msgspec.Struct, frozen=True):
    """Records, decoded or shaped, and what the server reports about the page; `per_page` is the size it really used."""

    records: list[object]
    total: int | None
    per_page: int
    date: datetime
    version: str | None


Params = Mapping[str, str | int]
Ask = Callable[[Params], Page]
"""One request of a list; it raises the errors of `schemas.errors`."""


UNREADABLE = (Unreadable, ServerUnavailable, NetworkFailed)


def narrows(problem: Unreadable | ServerUnavailable | NetworkFailed) -> bool:
    """Whether a smaller page may go through: one row is poison, or the server's 45 seconds were not enough.

    NetworkFailed with status 200 means that the body was not JSON, the second time too.
    """
    return isinstance(problem, Unreadable) or problem.status in (200, 500)


def read_page(body: bytes, date: datetime | None, version: str | None, shapes: Shapes | None = None) -> Page:
    """The page of a 200 answer, its records shaped if `shapes` are given.

    Raises Unreadable, or UnexpectedShape where the envelope is another one.
    """
    if not body.strip():
        raise Unreadable
    envelope = _decode(body, shapes)
    if not isinstance(envelope, dict):
        raise UnexpectedShape("The server answered JSON that is not an object instead of a list of records.")
    records, pagination = envelope.get("data"), _pagination(envelope)
    if not isinstance(records, list) or pagination is None:
        raise UnexpectedShape(
            "The server answered JSON without `data` and `meta.pagination`: "
            "is NINJA_SYNC_URL the address of Invoice Ninja itself?"
        )
    if len(records) > PAGE_CAP:
        raise UnexpectedShape(
            f"The server sent a page of {len(records):,} records; Invoice Ninja sends at most {PAGE_CAP:,}."
        )
    per_page, total = pagination.get("per_page"), pagination.get("total")
    if per_page.__class__ is not int or not 1 <= per_page <= MOST_RECORDS:
        raise UnexpectedShape("The server does not say its page size in `meta.pagination.per_page`.")
    if date is None:
        raise UnexpectedShape("The server's answer has no Date header; nothing is loaded without the server's clock.")
    credible = total.__class__ is int and 0 <= total <= MOST_RECORDS
    return Page(records, total if credible else None, per_page, date, version)  # type: ignore[arg-type]


def _pagination(envelope: dict[str, object]) -> dict[str, object] | None:
    meta = envelope.get("meta")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    return pagination if isinstance(pagination, dict) else None


def _decode(body: bytes, shapes: Shapes | None) -> object:
    """The envelope with its records; where the page does not decode as a whole, each record is decoded separately."""
    if shapes is not None:
        with suppress(*FAULTS):
            return shapes.page(body) or _one_by_one(body, shapes.record)
    with suppress(*FAULTS):
        return GENERIC.decode(body)
    try:
        return _one_by_one(body, GENERIC.decode)
    except FAULTS:
        raise Unreadable from None


def _one_by_one(body: bytes, decode: Callable[[bytes], object]) -> object:
    envelope = msgspec.json.decode(body, type=_Envelope)
    data = [_decode_record(bytes(raw), decode) for raw in envelope.data]
    return {"data": data, "meta": GENERIC.decode(envelope.meta)}


def _decode_record(raw: bytes, decode: Callable[[bytes], object]) -> object:
    try:
        return decode(raw)
    except FAULTS:
        id_match = _ID.search(raw)
        return Malformed(id_match[1].decode() if id_match else nameless(raw))
