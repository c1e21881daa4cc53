"""A filter from texts, as they stand in a URL of the API or behind an option of the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from connector.clients.filters import NAMES, Filter
from schemas.errors import SettingsError

_UNUSED: Final[Mapping[str, str]] = {
    "balance": "means something else on each generation of the server (gt:1000 finds balances of 0 on 5.10 and 5.12, "
    "1000:gt on newer ones): say balance_gt, balance_gte, balance_lt, balance_lte or balance_eq=1000",
    "filter_deleted_clients": "breaks the server's list of clients: say is_deleted=false",
    "without_deleted_clients": "breaks the server's list of clients: say is_deleted=false",
    "vendor_id": "does nothing, as no client belongs to a vendor",
    "with": "adds a client to the others instead of restricting them: say client_id",
    "filter_details": "leaves out all fields but four, which would read as balances of 0",
    "sort": "is no filter: give it as the sort of the list",
    "include": "is no filter: ask for a client with its includes",
}
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


def parse_filter(told: Mapping[str, str]) -> Filter:
    """A filter from texts by name: `{"status": "active,archived", "balance_gt": "1000"}`.

    Times are ISO 8601 (UTC where no zone is told; a date is its beginning) or unix seconds, `between_balance` is
    `10:20.50`, flags are true or false. Raises SettingsError for a name that the server would ignore, and with the
    reason for one that does not do what it says.
    """
    for name in told:
        if name not in NAMES:
            reason = _UNUSED.get(name, f"is none, and the server would send everybody. There are: {', '.join(NAMES)}")
            raise SettingsError(f"The filter {name} {reason}.")
    status = told.get("status")
    return Filter(
        updated_at=_moment("updated_at", told),
        created_at=_moment("created_at", told),
        status=None if status is None else [one.strip() for one in status.split(",")],
        is_deleted=_flag("is_deleted", told),
        with_trashed=_flag("with_trashed", told),
        client_id=told.get("client_id"),
        name=told.get("name"),
        email=told.get("email"),
        id_number=told.get("id_number"),
        number=told.get("number"),
        group=told.get("group"),
        filter=told.get("filter"),
        between_balance=_span(told),
        balance_gt=_amount("balance_gt", told),
        balance_gte=_amount("balance_gte", told),
        balance_lt=_amount("balance_lt", told),
        balance_lte=_amount("balance_lte", told),
        balance_eq=_amount("balance_eq", told),
    )


def _moment(name: str, told: Mapping[str, str]) -> datetime | int | None:
    text = told.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return int(text[:20])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{name} takes a time like 2026-12-31 or 2026-12-31T18:00:00+01:00, or unix seconds, not {text!r}."
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _flag(name: str, told: Mapping[str, str]) -> bool | None:
    text = told.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise SettingsError(f"{name} is true or false, not {text!r}.")
    return text == "true"


def _span(told: Mapping[str, str]) -> tuple[Decimal, Decimal] | None:
    text = told.get("between_balance")
    if text is None:
        return None
    low, colon, high = text.partition(":")
    if not (colon and _AMOUNT.fullmatch(low) and _AMOUNT.fullmatch(high)):
        raise SettingsError(f"between_balance takes two amounts with a colon between them, 10:20.50, not {text!r}.")
    return Decimal(low), Decimal(high)


def _amount(name: str, told: Mapping[str, str]) -> Decimal | None:
    text = told.get(name)
    if text is None:
        return None
    if not _AMOUNT.fullmatch(text):
        raise SettingsError(f"{name} takes an amount like 1000 or -0.50, not {text!r}.")
    return Decimal(text)
