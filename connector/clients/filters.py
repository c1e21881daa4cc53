"""Filters of the client list, each in a form that every generation of the server understands in the same way.

The server looks parameters up as PHP methods. One that it does not know, cannot read or finds empty is silently no
filter at all, and its list holds all clients (QueryFilters.php:78-101). So this module refuses all of these before
anything is sent. It avoids whatever differs between generations: the operators of `balance` (`gt:1000` finds balances
of 0 on 5.10 and 5.12) become `between_balance`; a phrase of `filter`, which 5.12 cuts into words, is sent as one word;
`is_deleted=true` (the others, on 5.10) and `with_trashed` become `status`. Times are sent some hours early, because a
server outside UTC is off by its offset; clients that come too early are dropped (`connector.clients.matching`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from connector.scan.skew import FARTHEST, HOUR
from schemas.errors import SettingsError
from schemas.server_form import trimmed
from schemas.values import LAST_SECOND, MONEY_LIMIT, SIX_PLACES

STATUSES: Final = frozenset({"active", "archived", "deleted"})
EARLIER: Final = FARTHEST * HOUR
"""Seconds by which a time is sent too early: west of UTC the server hides the hours of its offset."""
MOST_MONEY: Final = MONEY_LIMIT - SIX_PLACES
LONGEST: Final = 191
"""Characters of the server's short texts; nobody has a longer one, and web servers refuse an endless one."""
_NOT_DELETED: Final = frozenset({"active", "archived"})
_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
Money = Decimal | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The clients for which all of this is true. An empty filter means all, archived and deleted ones too.

    Times (at or after) are aware datetimes, or unix seconds. Amounts are Decimals or whole numbers, in each client's
    own currency; `between_balance` includes both its ends. `status` is a set of active, archived, deleted; `is_deleted`
    and `with_trashed=False` say the same in other words. `name` matches anywhere in a name; `filter` matches in name,
    number, id_number, custom values and contacts' names, mails and phones. Both ignore case and accents, as the
    server's database does; in `filter` a blank stands for any one character. `email` (of any of its contacts), `number`
    and `id_number` are whole values, `client_id` and `group` are ids.
    Raises SettingsError on construction for anything that the server would read as another filter.
    """

    updated_at: datetime | int | None = None
    created_at: datetime | int | None = None
    status: Collection[str] | None = None
    is_deleted: bool | None = None
    with_trashed: bool | None = None
    client_id: str | None = None
    name: str | None = None
    email: str | None = None
    id_number: str | None = None
    number: str | None = None
    group: str | None = None
    filter: str | None = None
    between_balance: tuple[Money, Money] | None = None
    balance_gt: Money | None = None
    balance_gte: Money | None = None
    balance_lt: Money | None = None
    balance_lte: Money | None = None
    balance_eq: Money | None = None

    def __post_init__(self) -> None:
        parameters(self)


NAMES: Final = tuple(f.name for f in fields(Filter))


def parameters(wanted: Filter) -> dict[str, str | int]:
    """The parameters to send for a filter. Raises SettingsError where the server would read them differently."""
    sent: dict[str, str | int] = {}
    for name in ("updated_at", "created_at"):
        moment = seconds_of(name, getattr(wanted, name))
        if moment is not None:
            sent[name] = max(1, moment - EARLIER)
    states = statuses(wanted)
    if states is not None:
        sent["status"] = ",".join(sorted(states))
    for name, form in _TEXTS.items():
        if (value := getattr(wanted, name)) is not None:
            sent[name] = form(name, value)
    bounds = balances(wanted)
    if bounds is not None:
        sent["between_balance"] = ":".join(f"{bound:f}" for bound in bounds)
    return sent


def seconds_of(name: str, moment: datetime | int | None) -> int | None:
    """A time as unix seconds, as the server shows it: without parts of a second."""
    if moment is None:
        return None
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise SettingsError(f"{name} is a time without a zone: give it one, such as datetime.now(UTC).")
        moment = int(moment.timestamp() // 1)
    if isinstance(moment, bool) or not isinstance(moment, int):
        raise SettingsError(f"{name} is an aware datetime, or a whole number of unix seconds.")
    if not 0 < moment <= LAST_SECOND:
        raise SettingsError(f"{name} is not a time from 1970 to 9999 in unix seconds. Are they milliseconds?")
    return moment


def statuses(wanted: Filter) -> frozenset[str] | None:
    """The wanted states; None is no restriction."""
    if isinstance(wanted.status, str):
        raise SettingsError('status is a set, such as {"active", "archived"}.')
    states = STATUSES if wanted.status is None else frozenset(wanted.status)
    if unknown := states - STATUSES:
        words = ", ".join(sorted(map(str, unknown)))
        raise SettingsError(f"status has no {words}; the server would send all clients: use active, archived, deleted.")
    for name in ("is_deleted", "with_trashed"):
        if not isinstance(getattr(wanted, name), bool | None):
            raise SettingsError(f"{name} is True or False.")
    if wanted.is_deleted is not None:
        states &= frozenset({"deleted"}) if wanted.is_deleted else _NOT_DELETED
    if wanted.with_trashed is False:
        states &= _NOT_DELETED
    if not states:
        raise SettingsError("No client can have this combination of status, is_deleted and with_trashed.")
    return None if states == STATUSES else states


def balances(wanted: Filter) -> tuple[Decimal, Decimal] | None:
    """The least and the greatest wanted balance; None is any. Balances have six places, so `>` is `>=` one step up.

    The server compares them as floats, which keep the order: it loses nothing, and the records are checked here.
    """
    asked = [name for name in NAMES if "balance" in name and getattr(wanted, name) is not None]
    low, high = -MOST_MONEY, MOST_MONEY
    for name in asked:
        least, greatest = _span(name, getattr(wanted, name))
        low, high = max(low, least), min(high, greatest)
    if low > high:
        raise SettingsError(f"No balance fits {' and '.join(asked)} together.")
    return (low, high) if asked else None


def _span(name: str, value: object) -> tuple[Decimal, Decimal]:
    if name == "between_balance":
        if not isinstance(value, tuple) or len(value) != 2:  # noqa: PLR2004 - from and to
            raise SettingsError("between_balance is two amounts: (Decimal('10'), Decimal('20')).")
        return _amount(name, value[0]), _amount(name, value[1])
    amount = _amount(name, value)
    return {
        "balance_gt": (amount + SIX_PLACES, MOST_MONEY),
        "balance_gte": (amount, MOST_MONEY),
        "balance_lt": (-MOST_MONEY, amount - SIX_PLACES),
        "balance_lte": (-MOST_MONEY, amount),
        "balance_eq": (amount, amount),
    }[name]


def _amount(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise SettingsError(f"{name} is a Decimal or a whole number: money is never a float.")
    amount = Decimal(value)
    if not amount.is_finite() or amount.copy_abs() >= MONEY_LIMIT:
        raise SettingsError(f"{name} must have at most 14 digits before the point.")
    if amount.quantize(SIX_PLACES, ROUND_FLOOR) != amount.quantize(SIX_PLACES, ROUND_CEILING):
        raise SettingsError(f"{name} has more than the six decimals that a balance has.")
    return amount.quantize(SIX_PLACES)


def _id(name: str, key: object) -> str:
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise SettingsError(f"{name} is one id, such as VolejRejNm; the server would ignore anything else.")
    return key


def _whole(name: str, value: object) -> str:
    text = _text(name, value)
    if text == "0":
        raise SettingsError(f"{name} is 0, which the server shows as empty.")
    return text


def _part(name: str, value: object) -> str:
    """A text that matches anywhere, with SQL's wildcards escaped."""
    text = _text(name, value)
    if "*" in text:
        raise SettingsError(
            f"{name} holds a *, which the server reads as a plain character. It finds texts anywhere, and cannot match "
            "only their beginning. Leave the * out, or ask the warehouse: name like 'Bob%'."
        )
    text = re.sub(r"([\\%_])", r"\\\1", text)
    return re.sub(r"\s", "_", text) if name == "filter" else text


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} is a text.")
    text = trimmed(value)
    if not text:
        raise SettingsError(f"{name} is empty, and the server would ignore it. Leave it out to get all clients.")
    if len(text) > LONGEST:
        raise SettingsError(f"{name} is longer than {LONGEST} characters: nobody has that.")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise SettingsError(f"{name} holds characters that are not text.")
    return text


_TEXTS: Final[Mapping[str, Callable[[str, object], str]]] = {
    "client_id": _id, "group": _id, "email": _whole, "id_number": _whole, "number": _whole, "name": _part,
    "filter": _part,
}  # fmt: skip
ALL: Final = Filter()
