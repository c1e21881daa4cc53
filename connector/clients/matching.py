"""Whether what the server sends for a filter is what was asked for.

A filter that the server ignores brings everybody, with a 200. So each client is compared with the filter: exactly where
that is possible; texts only so far as there can be no doubt, as the database's own comparison (utf8mb4_unicode_ci)
decides about case and accents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Final

from connector.clients.filters import EARLIER, Filter, balances, seconds_of, statuses
from connector.scan.state import TOLERANCE
from schemas.client import Client, Contact
from schemas.errors import FilterIgnored
from schemas.server_form import trimmed

EARLIEST: Final = 2 * EARLIER + TOLERANCE
"""How far before a time a filter of it that works may reach: sent earlier, and the server's own offset."""
_SAME_FLOAT: Final = Decimal("1e-15")
"""Relative difference within which the server, which compares balances as floats, may take two for one."""

_WHOLE, _PART, _PHRASE = r"\A{}\Z", "{}", "(?:{})"
_ANY = ".{0,5}"
"""What one character of a text, for which a blank of `filter` stands, may have become here."""


def matches(wanted: Filter, client: Client) -> bool:
    """Whether a client that came for a filter is meant by it; False for one that only came along at its edge.

    Raises FilterIgnored for one that can only have come because the server ignored the filter.
    """
    name = _ignored(wanted, client)
    if name:
        raise FilterIgnored(
            f"The server ignored the filter {name}: it sent the client {client.id}, which is none of those. Nothing of "
            "this list can be relied on."
        )
    inside = _times_fit(wanted, client, 0)
    bounds = balances(wanted)
    return inside and (bounds is None or bounds[0] <= client.balance <= bounds[1])


def total_is_exact(wanted: Filter) -> bool:
    """Whether the server's own total counts those who are meant, and nobody at the edge."""
    bounds = balances(wanted) or ()
    return wanted.updated_at is None and wanted.created_at is None and all(map(_is_exact_as_float, bounds))


def _ignored(wanted: Filter, client: Client) -> str:
    """The name of a filter that this client shows to be ignored, or nothing."""
    if not _times_fit(wanted, client, EARLIEST):
        return "updated_at or created_at"
    bounds = balances(wanted)
    if bounds is not None and not _about(bounds[0], -1) <= client.balance <= _about(bounds[1], 1):
        return "between_balance"
    states = statuses(wanted)
    if states is not None and not states & _states(client):
        return "status"
    if wanted.client_id not in (None, client.id):
        return "client_id"
    if wanted.group not in (None, client.group_settings_id):
        return "group"
    return _ignored_text(wanted, client)


def _ignored_text(wanted: Filter, client: Client) -> str:
    mails = [contact.email for contact in client.contacts]
    for name, value, texts in (
        ("email", wanted.email, mails), ("id_number", wanted.id_number, [client.id_number]),
        ("number", wanted.number, [client.number]),
    ):  # fmt: skip
        if value is not None and not _may_be(value, texts, _WHOLE):
            return name
    if wanted.name is not None and not _may_be(wanted.name, [client.name], _PART):
        return "name"
    if wanted.filter is not None and not _may_be(wanted.filter, _texts(client), _PHRASE):
        return "filter"
    return ""


def _may_be(wanted: str, texts: Iterable[str | None], form: str) -> bool:
    """Whether one of the texts may be what is wanted; True as well where only the server can tell.

    It shows the text "0" as nothing (ClientTransformer), so nothing is "0" here.
    """
    told = _folded(trimmed(wanted))
    pattern = re.compile(form.format(re.escape(told).replace("\\ ", _ANY if form == _PHRASE else " ")), re.DOTALL)
    found = [_folded(trimmed(text or "0")) for text in texts]
    return not told.isascii() or any(not text.isascii() or pattern.search(text) for text in found)


def _folded(text: str) -> str:
    """Without case, accents and what is not seen; every blank is one."""
    letters = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c)[0] not in "MC" or c.isspace())
    return "".join(" " if c.isspace() else c for c in letters).casefold()


def _texts(client: Client) -> list[str | None]:
    """Every text of a client and its contacts; newer servers may look into more of them."""
    found: list[str | None] = [" ".join((c.first_name or "", c.last_name or "")) for c in client.contacts]
    holders: tuple[Client | Contact, ...] = (client, *client.contacts)
    shown = (getattr(holder, f.name) for holder in holders for f in fields(holder))
    return found + [text for text in shown if text is None or isinstance(text, str)]


def _times_fit(wanted: Filter, client: Client, grace: int) -> bool:
    pairs = ((wanted.updated_at, client.updated_at), (wanted.created_at, client.created_at))
    return all(_is_since(since, stamp, grace) for since, stamp in pairs)


def _is_since(since: datetime | int | None, stamp: datetime | None, grace: int) -> bool:
    seconds = seconds_of("", since)
    return seconds is None or (stamp is not None and stamp.timestamp() >= seconds - grace)


def _states(client: Client) -> set[str]:
    """As the server's filter has them (QueryFilters.php:138-162); a row that an import left odd may have two."""
    found = {"archived" if client.archived_at and not client.is_deleted else ""} - {""}
    found |= set() if client.archived_at else {"active"}
    return found | ({"deleted"} if client.is_deleted else set())


def _about(bound: Decimal, side: int) -> Decimal:
    return bound + side * bound.copy_abs() * _SAME_FLOAT


def _is_exact_as_float(bound: Decimal) -> bool:
    """Fifteen digits are told apart by a float; six of them stand behind the point. The very ends are beyond all."""
    return bound.copy_abs() < 10**9 or bound.copy_abs() >= Decimal(10) ** 14 - 1
