"""One page of a list: its envelope checked, its records decoded with exact decimals.

The envelope is `{"data": [...], "meta": {"pagination": {...}}}`. An answer of another shape is an error with a name,
never an empty page. A body that is empty or does not parse is `Unreadable`: PHP's json_encode gives false for one row
with bad UTF-8, and the controller sends that as an empty 200 for the whole page, so the scan narrows the page down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from schemas.errors import NetworkFailed, ServerUnavailable, UnexpectedShape, Unreadable
from schemas.normalise import nameless

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9]{1,64})"')

PAGE_CAP = 5000
"""Records a page at the most (BaseController::resolveQueryLimit); a server that clamps lower says so in each page."""
MOST_RECORDS = 10**9
"""A total beyond it is none: no server of Invoice Ninja holds so many records."""
_FAULTS = (ValueError, ArithmeticError, RecursionError)
"""What decoding raises: msgspec's errors and bad UTF-8 are ValueErrors, `1e99999999999999999999` is ArithmeticError."""


class _Envelope(msgspec.Struct):
    data: list[msgspec.Raw]
    meta: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that is no valid JSON by itself, while the page around it is: its id, or a name made of its content."""

    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Decoded records and what the server says about the page; `per_page` is the size it really used."""

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
    """Whether a smaller page may go through: one row is poison, or the server's 45 seconds did not suffice.

    A failure of the network with status 200 is a body that is no JSON, after it was asked for again.
    """
    return isinstance(problem, Unreadable) or problem.status in (200, 500)


def read_page(body: bytes, date: datetime | None, version: str | None) -> Page:
    """The page of a 200 answer. Raises Unreadable, or UnexpectedShape where the envelope is not the promised one."""
    if not body.strip():
        raise Unreadable
    envelope = _decode(body)
    if not isinstance(envelope, dict):
        raise UnexpectedShape("The server answered JSON that is no object instead of a list of records.")
    records, pagination = envelope.get("data"), _pagination(envelope)
    if not isinstance(records, list) or pagination is None:
        raise UnexpectedShape(
            "The server answered JSON without `data` and `meta.pagination`: "
            "is NINJA_SYNC_URL the address of Invoice Ninja itself?"
        )
    if len(records) > PAGE_CAP:
        raise UnexpectedShape(
            f"The server sent a page of {len(records):,} records; Invoice Ninja sends {PAGE_CAP:,} at the most."
        )
    per_page, total = pagination.get("per_page"), pagination.get("total")
    if per_page.__class__ is not int or not 1 <= per_page <= MOST_RECORDS:
        raise UnexpectedShape("The server does not say its page size in `meta.pagination.per_page`.")
    if date is None:
        raise UnexpectedShape("The server's answer has no Date header; without the server's clock nothing is loaded.")
    credible = total.__class__ is int and 0 <= total <= MOST_RECORDS
    return Page(records, total if credible else None, per_page, date, version)  # type: ignore[arg-type]


def _pagination(envelope: dict[str, object]) -> dict[str, object] | None:
    meta = envelope.get("meta")
    found = meta.get("pagination") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else None


def _decode(body: bytes) -> object:
    try:
        return _DECODER.decode(body)
    except _FAULTS:
        return _decode_one_by_one(body)


def _decode_one_by_one(body: bytes) -> object:
    """The envelope with each record decoded by itself, so that one bad record does not take its page along."""
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
        meta = _DECODER.decode(envelope.meta)
    except _FAULTS:
        raise Unreadable from None
    return {"data": [_decode_record(bytes(one)) for one in envelope.data], "meta": meta}


def _decode_record(raw: bytes) -> object:
    try:
        return _DECODER.decode(raw)
    except _FAULTS:
        found = _ID.search(raw)
        return Malformed(found[1].decode() if found else nameless(raw))
