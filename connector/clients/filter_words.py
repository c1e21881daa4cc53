"""A filter from texts, as in a URL of the API or behind an option of the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from connector.clients.filters import NAMES, Filter
from schemas.errors import SettingsError

_UNUSED: Final[Mapping[str, str]] = {
    "balance": "has another meaning on each generation of the server (gt:1000 finds balances of 0 on 5.10 and 5.12, "
    "1000:gt on newer ones): use balance_gt, balance_gte, balance_lt, balance_lte or balance_eq=1000",
    "filter_deleted_clients": "breaks the server's list of clients: use is_deleted=false",
    "without_deleted_clients": "breaks the server's list of clients: use is_deleted=false",
    "vendor_id": "does nothing, because no client belongs to a vendor",
    "with": "adds a client to the others instead of restricting them: use client_id",
    "filter_details": "leaves out all fields but four, and the rest would read as balances of 0",
    "sort": "is not a filter: give it as the sort of the list",
    "include": "is not a filter: ask for a client with its includes",
}
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def parse_filter(texts: Mapping[str, str]) -> Filter:
    """A filter from texts by name: `{"status": "active,archived", "balance_gt": "1000"}`.

    Times are ISO 8601 (UTC without a zone; a date means its beginning) or unix seconds, `between_balance` is
    `10:20.50`, flags are true or false. Raises SettingsError for a name that the server would ignore; and, with the
    reason, for one that does something else than its name says.
    """
    for name in texts:
        if name not in NAMES:
            reason = _UNUSED.get(name, f"does not exist: the server would send all clients. Use: {', '.join(NAMES)}")
            raise SettingsError(f"The filter {name} {reason}.")
    status = texts.get("status")
    return Filter(
        updated_at=_moment("updated_at", texts),
        created_at=_moment("created_at", texts),
        status=None if status is None else [state.strip() for state in status.split(",")],
        is_deleted=_flag("is_deleted", texts),
        with_trashed=_flag("with_trashed", texts),
        client_id=texts.get("client_id"),
        name=texts.get("name"),
        email=texts.get("email"),
        id_number=texts.get("id_number"),
        number=texts.get("number"),
        group=texts.get("group"),
        filter=texts.get("filter"),
        between_balance=_span(texts),
        balance_gt=_amount("balance_gt", texts),
        balance_gte=_amount("balance_gte", texts),
        balance_lt=_amount("balance_lt", texts),
        balance_lte=_amount("balance_lte", texts),
        balance_eq=_amount("balance_eq", texts),
    )


def _moment(name: str, texts: Mapping[str, str]) -> datetime | int | None:
    text = texts.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text[:20])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{name} takes a time like 2026-12-31 or 2026-12-31T18:00:00+01:00, or unix seconds, not {text!r}."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _flag(name: str, texts: Mapping[str, str]) -> bool | None:
    text = texts.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise SettingsError(f"{name} is true or false, not {text!r}.")
    return text == "true"


def _span(texts: Mapping[str, str]) -> tuple[Decimal, Decimal] | None:
    text = texts.get("between_balance")
    if text is None:
        return None
    low, colon, high = text.partition(":")
    if not (colon and _AMOUNT.fullmatch(low) and _AMOUNT.fullmatch(high)):
        raise SettingsError(f"between_balance takes two amounts with a colon between them, 10:20.50, not {text!r}.")
    return Decimal(low), Decimal(high)


def _amount(name: str, texts: Mapping[str, str]) -> Decimal | None:
    text = texts.get(name)
    if text is None:
        return None
    if not _AMOUNT.fullmatch(text):
        raise SettingsError(f"{name} takes an amount like 1000 or -0.50, not {text!r}.")
    return Decimal(text)
