"""The values that `include=` adds to a client, typed and without secrets: activities, ledger, system logs, its group.

After the transformers of 5.10.42; SystemLog.php explains the numbers in system logs. Dropped are an activity's `ip` and
`token_id`, the client_hash at the end of a merge's or purge's notes (since 5.12.22), and every key named like a
credential in a system log's `log`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec

from schemas.client import Client, value_of
from schemas.entities import ACTIVITIES, GROUPS
from schemas.entity import Entity, Field, Kind
from schemas.errors import UnexpectedShape
from schemas.scrub import searched
from schemas.values import Unfit, count, money, text, time

INCLUDES: Final = ("activities", "ledger", "system_logs", "group_settings")
"""The includes on request; contacts and documents always come (ClientTransformer.php:41-46)."""
KINDS_OF_ACTIVITY: Final[Mapping[str, str]] = {
    "1": "created", "2": "archived", "3": "deleted", "26": "restored", "61": "updated", "151": "merged",
    "153": "purged",
}  # fmt: skip
"""Actions on a client, by `activity_type_id`; there are many more, for invoices and the like."""
SYSTEM_LOGS: Final = Entity(
    name="system_logs",
    path="",
    fields=(
        Field("id", Kind.TEXT, "The log's hashed id.", vital=True),
        Field("user_id", Kind.LINK, "The user of the record that it is about."),
        Field("client_id", Kind.LINK, "The client."),
        Field(
            "event_id", Kind.COUNT, "What happened: 21 a gateway took a payment, 30 a mail was sent, 32 it bounced ..."
        ),
        Field("category_id", Kind.COUNT, "1 a gateway's answer, 2 mail, 3 webhook, 4 PDF, 5 security."),
        Field("type_id", Kind.COUNT, "Which gateway (301 Stripe ...), or what went wrong with a mail."),
        Field("created_at", Kind.TIME, "When it happened."),
        Field("updated_at", Kind.TIME, "When the server last touched the row."),
    ),
    secrets=frozenset({"log"}),
    elsewhere=frozenset({"company_id"}),
)

_T = TypeVar("_T")
_JSON = msgspec.json.Decoder(float_hook=Decimal)
_NAMES_NOBODY: Final = frozenset({"activity_id", "client_id", "company_id", "user_id"})
_GONE: Final = ("151", "153")
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)$")
_HASH = re.compile(r"\s*\([A-Za-z0-9]{32,}\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An action that somebody took. Ids that point to nothing are None; times are aware, in UTC."""

    id: str
    activity_type_id: str | None = None
    client_id: str | None = None
    contact_id: str | None = None
    invoice_id: str | None = None
    payment_id: str | None = None
    credit_id: str | None = None
    user_id: str | None = None
    is_system: bool | None = None
    notes: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A movement of a client's balance, in the client's own currency. It has no id of its own.

    `entity` and `entity_id` name its origin (`invoice`, its id); None where it has none, as for a merge. `balance` is
    the ledger's running one: the previous row's plus `adjustment`, not always the client's.
    """

    balance: Decimal
    adjustment: Decimal
    entity: str | None = None
    entity_id: str | None = None
    activity_id: int | None = None
    notes: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLog:
    """A log of a mail or a payment. `log` is the decoded entry: often a person's data, so `repr` leaves it out."""

    id: str
    user_id: str | None = None
    client_id: str | None = None
    event_id: int | None = None
    category_id: int | None = None
    type_id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    log: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of clients (`group_settings`), with the settings that its clients inherit."""

    id: str
    name: str | None = None
    currency_id: str | None = None
    is_deleted: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWith:
    """A client with the includes that were asked for; the others are empty."""

    client: Client
    activities: Sequence[Activity] = ()
    ledger: Sequence[LedgerRow] = ()
    system_logs: Sequence[SystemLog] = ()
    group_settings: Group | None = None


def activity_of(record: object) -> Activity:
    """The typed value of a decoded activity. Raises UnexpectedShape, naming the field that does not fit."""
    activity = value_of(Activity, ACTIVITIES, record)
    return replace(activity, notes=_without_hash(activity.notes, activity.activity_type_id))


def ledger_row_of(record: object) -> LedgerRow:
    """The typed value of a decoded ledger row. Its first key names its origin: `invoice_id`, or `_id` for none."""
    row = _object(record, "ledger")
    about = next((key for key in row if key.endswith("_id") and key not in _NAMES_NOBODY), "")
    entity = about.removesuffix("_id") or None
    return LedgerRow(
        balance=_read(row, "balance", money),
        adjustment=_read(row, "adjustment", money),
        entity=entity,
        entity_id=_read(row, about, text) if entity else None,
        activity_id=_read(row, "activity_id", count),
        notes=_without_hash(_read(row, "notes", text), ""),
        created_at=_moment(row, "created_at"),
        updated_at=_moment(row, "updated_at"),
    )


def system_log_of(record: object) -> SystemLog:
    """The typed value of a decoded system log; its `log`, which is JSON inside a text, is decoded to the bottom."""
    log_row = value_of(SystemLog, SYSTEM_LOGS, record)
    written = _object(record, "system_logs").get("log")
    try:
        return replace(
            log_row,
            log=searched(_opened(_JSON.decode(written) if isinstance(written, str) and written else None)),
        )
    except (ValueError, ArithmeticError, RecursionError):
        pass
    raise UnexpectedShape(f"The server sent a record of an unknown shape: system_logs {log_row.id}: log is not JSON.")


def group_of_record(record: object) -> Group:
    """The typed value of a decoded group. Raises UnexpectedShape, naming the field that does not fit."""
    return value_of(Group, GROUPS, record)


def _opened(value: object) -> object:
    """The value with JSON inside texts decoded too, so that no credential stays hidden there."""
    if isinstance(value, dict):
        return {key: _opened(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_opened(part) for part in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return _opened(_JSON.decode(value))
        except (ValueError, ArithmeticError):
            return value
    return value


def _without_hash(notes: str | None, kind: str | None) -> str | None:
    return (_IN_BRACKETS if kind in _GONE else _HASH).sub("", notes) if notes else notes


def _moment(row: Mapping[str, object], name: str) -> datetime | None:
    seconds = _read(row, name, time)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _read(row: Mapping[str, object], name: str, convert: Callable[[object], _T]) -> _T:
    try:
        return convert(row.get(name))
    except Unfit as unfit:
        reason = str(unfit)
    raise UnexpectedShape(f"The server sent a record of an unknown shape: ledger: {name} is {reason}.")


def _object(record: object, what: str) -> dict[str, object]:
    if isinstance(record, dict):
        return record
    raise UnexpectedShape(f"The server sent a record of an unknown shape: {what}: is not an object.")
