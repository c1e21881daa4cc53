"""Reading clients: one by its id, many by a filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connector.api.api import Api
from connector.clients.filters import ALL, Filter, parameters
from connector.clients.listing import BY_ID, check_order, check_page_size, every_record, one_page
from connector.clients.matching import matches, total_is_exact
from connector.door.door import Door
from schemas.client import Client, as_dict, client_of
from schemas.errors import NotAuthorised, UnexpectedShape

_LOOKED_AT: Final = 100
"""Records by which a count checks that the server applied the filter."""
_FIGURES: Final = ("balance", "paid_to_date", "credit_balance")


def show(api: Api, client_id: str) -> Client:
    """One client, archived and deleted ones too.

    Raises NotFound where there is none (or it was merged or purged), NotAuthorised where this token may not see the
    client or its money. `find` returns None instead.
    """
    return shown(record_of(api.door, client_id))


def edit(api: Api, client_id: str) -> Client:
    """One client, for a token that may edit it: raises NotAuthorised where the token may see but not change it."""
    return shown(data_of(api.door.get(f"/clients/{client_id}/edit").json()))


def find(api: Api, client_id: str) -> Client | None:
    """One client, archived and deleted ones too; None where there is none, or this token may not see it.

    Raises NotAuthorised where this token may see the client but not its money.
    """
    return next(iter(list_clients(api, Filter(client_id=client_id), page_size=2)), None)


def blank(api: Api) -> dict[str, object]:
    """The start values of a new client: every column but its id, by name; None means empty.

    It only reads: the server makes no client, and uses up no number.
    """
    record = data_of(api.door.get("/clients/create").json())
    columns = as_dict(client_of({**record, "id": "new"}))
    return {name: value for name, value in columns.items() if name not in {"id", "contacts", "documents"}}


def list_clients(api: Api, wanted: Filter = ALL, *, sort: str = BY_ID, page_size: int = 500) -> Iterator[Client]:
    """The clients of a filter, each once, in the order of `sort` (`name|asc`, `balance|desc` ...), page by page.

    These are all clients that this token may see, as long as nobody writes to the server meanwhile. Rows hidden behind
    others of the same rank at the edge of a page come at the end, out of order. While somebody writes, the list may
    miss a client that moved to an earlier page, and may hold one that no longer fits the filter: `ninja-sync pull`
    misses none. Raises SettingsError at once for a sort that the server does not know; FilterIgnored where the server
    sends clients that do not fit; PagesMoved where clients stay missing; UnexpectedShape for a malformed record;
    NotAuthorised where the server leaves the money out.
    """
    records = every_record(api.door, {**parameters(wanted), "sort": check_order(sort)}, check_page_size(page_size))
    return (client for client in map(client_of, records) if matches(wanted, client))


def count_clients(api: Api, wanted: Filter = ALL) -> int:
    """How many clients a filter has: one request, or all pages where only the records can show it.

    Times need all pages, and so do balances of more than nine digits before the point. Raises what `list_clients`
    raises.
    """
    if not total_is_exact(wanted):
        return sum(1 for _ in list_clients(api, wanted))
    page = one_page(api.door, {**parameters(wanted), "sort": BY_ID, "per_page": _LOOKED_AT})
    for record in page.records:
        matches(wanted, client_of(record))
    if page.total is None:
        raise UnexpectedShape("The server does not say how many clients there are.")
    return page.total


def shown(record: dict[str, object]) -> Client:
    """The typed value of one record. Raises NotAuthorised where the server leaves money out, as it may since 5.12."""
    if record.get("client_hash") == "" and not any(record.get(name) for name in _FIGURES):
        raise NotAuthorised(
            f"This token may not see money: the server sends 0 for the balances of client {record.get('id')}. Use a "
            "token of an owner or administrator."
        )
    return client_of(record)


def record_of(door: Door, client_id: str) -> dict[str, object]:
    """One client as the server sends it, with its secrets: only for use inside this package, never kept or shown."""
    return data_of(door.get(f"/clients/{client_id}").json())


def data_of(answer: object) -> dict[str, object]:
    """The record inside an answer. Raises UnexpectedShape where there is none."""
    record = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(record, dict):
        raise UnexpectedShape("The server answered JSON without the record that was asked for.")
    return record
