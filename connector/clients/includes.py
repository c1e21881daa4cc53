"""Clients with their related records: activities, ledger, system logs, group (`include=`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from connector.api.api import Api
from connector.clients.filters import ALL, Filter, parameters
from connector.clients.listing import BY_ID, check_order, check_page_size, every_record
from connector.clients.matching import matches
from connector.clients.read import data_of, shown
from schemas.client import client_of
from schemas.errors import SettingsError, UnexpectedShape
from schemas.includes import (
    INCLUDES,
    Activity,
    ClientWith,
    Group,
    LedgerRow,
    SystemLog,
    activity_of,
    group_of_record,
    ledger_row_of,
    system_log_of,
)

_T = TypeVar("_T")


def show_with(api: Api, client_id: str, include: Collection[str] = INCLUDES) -> ClientWith:
    """One client with the requested parts of `INCLUDES`, in one request. Raises what `show` raises.

    The server sends the newest 50 activities and system logs, and the whole ledger, newest first.
    """
    wanted = check_includes(include)
    record = data_of(api.door.get(f"/clients/{client_id}", {"include": ",".join(wanted)}).json())
    shown(record)
    return _with(record, wanted)


def list_with(
    api: Api,
    include: Collection[str],
    wanted: Filter = ALL,
    *,
    sort: str = BY_ID,
    page_size: int = 100,
) -> Iterator[ClientWith]:
    """The clients of a filter with the requested parts; pages as `list_clients` reads them.

    Refuses activities, because the server sends none in its list (Client.php:350-353): `show_with` has them.
    """
    asked = check_includes(include)
    if "activities" in asked:
        raise SettingsError("The server leaves activities out of its list: ask for them client by client.")
    query = {**parameters(wanted), "sort": check_order(sort), "include": ",".join(asked)}
    records = every_record(api.door, query, check_page_size(page_size))
    everyone = (_with(record, asked) for record in records)
    return (joined for joined in everyone if matches(wanted, joined.client))


def activities(api: Api, client_id: str) -> Sequence[Activity]:
    """The newest 50 activities on a client or its documents. Raises what `show` raises."""
    return show_with(api, client_id, ["activities"]).activities


def ledger(api: Api, client_id: str) -> Sequence[LedgerRow]:
    """Every movement of a client's balance, newest first, in the client's own currency. Raises what `show` raises."""
    return show_with(api, client_id, ["ledger"]).ledger


def system_logs(api: Api, client_id: str) -> Sequence[SystemLog]:
    """The newest 50 logs of a client's mails and payments; they hold personal data. Raises what `show` raises."""
    return show_with(api, client_id, ["system_logs"]).system_logs


def group_of(api: Api, client_id: str) -> Group | None:
    """The group of a client; None where it has none, or an archived one. Raises what `show` raises."""
    return show_with(api, client_id, ["group_settings"]).group_settings


def check_includes(include: Collection[str]) -> list[str]:
    """The requested parts, each once. Raises SettingsError for parts that the server does not have or send."""
    if isinstance(include, str) or not include:
        raise SettingsError(f"Say what to include: a list of some of {', '.join(INCLUDES)}.")
    if unknown := [name for name in include if name not in INCLUDES]:
        raise SettingsError(
            f"There is nothing to include called {', '.join(unknown)}. There are: {', '.join(INCLUDES)}."
        )
    return [name for name in INCLUDES if name in include]


def _with(sent: object, asked: Collection[str]) -> ClientWith:
    client, record = client_of(sent), sent if isinstance(sent, dict) else {}
    group = record.get("group_settings") if "group_settings" in asked else None
    return ClientWith(
        client=client,
        activities=_rows(record, "activities", activity_of, asked),
        ledger=_rows(record, "ledger", ledger_row_of, asked),
        system_logs=_rows(record, "system_logs", system_log_of, asked),
        group_settings=None if group is None else group_of_record(group),
    )


def _rows(record: dict[str, object], name: str, of: Callable[[object], _T], asked: Collection[str]) -> list[_T]:
    if name not in asked:
        return []
    rows = record.get(name)
    if not isinstance(rows, list):
        raise UnexpectedShape(f"The server sent a client without its {name}, which were asked for.")
    return [of(row) for row in rows]
