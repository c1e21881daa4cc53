"""Checks that the server's records match the filter that was asked for.

A server that ignores a filter sends all clients, with a 200. So each client is compared with the filter: exactly where
that is possible; texts only where there can be no doubt, because the database's own comparison (utf8mb4_unicode_ci)
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
"""Seconds before its time that a working filter may reach: it is sent early, and the server adds its own offset."""
_SAME_FLOAT: Final = Decimal("1e-15")
"""Relative difference below which the server may take two balances as equal, because it compares floats."""

_WHOLE, _PART, _PHRASE = r"\A{}\Z", "{}", "(?:{})"
_ANY = ".{0,5}"
"""Matches what one character, for which a blank of `filter` stands, may have become after folding."""


def matches(wanted: Filter, client: Client) -> bool:
    """Whether a client fits the filter; False for one that the server sent only because the filter was widened.

    Raises FilterIgnored for a client that can only be there because the server ignored the filter.
    """
    name = _ignored(wanted, client)
    if name:
        raise FilterIgnored(
            f"The server ignored the filter {name}: it sent the client {client.id}, which does not fit. Do not rely on "
            "any part of this list."
        )
    inside = _times_fit(wanted, client, 0)
    bounds = balances(wanted)
    return inside and (bounds is None or bounds[0] <= client.balance <= bounds[1])


def total_is_exact(wanted: Filter) -> bool:
    """Whether the server's own total counts exactly the clients that fit."""
    bounds = balances(wanted) or ()
    return wanted.updated_at is None and wanted.created_at is None and all(map(_is_exact_as_float, bounds))


def _ignored(wanted: Filter, client: Client) -> str:
    """The name of a filter that the server ignored, by this client; empty where it ignored none."""
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
    """Whether one of the texts may be the wanted one; also True where only the server can decide.

    The server shows the text "0" as empty (ClientTransformer), so an empty text counts as "0" here.
    """
    folded = _folded(trimmed(wanted))
    pattern = re.compile(form.format(re.escape(folded).replace("\\ ", _ANY if form == _PHRASE else " ")), re.DOTALL)
    candidates = [_folded(trimmed(text or "0")) for text in texts]
    return not folded.isascii() or any(not text.isascii() or pattern.search(text) for text in candidates)


def _folded(text: str) -> str:
    """Without case, accents and invisible characters; every blank is one space."""
    letters = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c)[0] not in "MC" or c.isspace())
    return "".join(" " if c.isspace() else c for c in letters).casefold()


def _texts(client: Client) -> list[str | None]:
    """Every text of a client and its contacts; newer servers may search more of them."""
    names: list[str | None] = [" ".join((c.first_name or "", c.last_name or "")) for c in client.contacts]
    holders: tuple[Client | Contact, ...] = (client, *client.contacts)
    shown = (getattr(holder, f.name) for holder in holders for f in fields(holder))
    return names + [text for text in shown if text is None or isinstance(text, str)]


def _times_fit(wanted: Filter, client: Client, grace: int) -> bool:
    pairs = ((wanted.updated_at, client.updated_at), (wanted.created_at, client.created_at))
    return all(_is_since(since, stamp, grace) for since, stamp in pairs)


def _is_since(since: datetime | int | None, stamp: datetime | None, grace: int) -> bool:
    seconds = seconds_of("", since)
    return seconds is None or (stamp is not None and stamp.timestamp() >= seconds - grace)


def _states(client: Client) -> set[str]:
    """States as the server's filter sees them (QueryFilters.php:138-162); an odd row from an import may have two."""
    states = {"archived" if client.archived_at and not client.is_deleted else ""} - {""}
    states |= set() if client.archived_at else {"active"}
    return states | ({"deleted"} if client.is_deleted else set())


def _about(bound: Decimal, side: int) -> Decimal:
    return bound + side * bound.copy_abs() * _SAME_FLOAT


def _is_exact_as_float(bound: Decimal) -> bool:
    """Floats keep fifteen digits apart, and six of them are decimals. The extreme ends are beyond all balances."""
    return bound.copy_abs() < 10**9 or bound.copy_abs() >= Decimal(10) ** 14 - 1
