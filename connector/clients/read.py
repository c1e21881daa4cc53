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
"""Records by which a count finds out whether the server took the filter."""
_FIGURES: Final = ("balance", "paid_to_date", "credit_balance")


def show(api: Api, client_id: str) -> Client:
    """One client, archived and deleted ones too.

    Raises NotFound where there is none (or it was merged or purged), NotAuthorised where this token may not see it, or
    its money. `find` gives None instead.
    """
    return shown(record_of(api.door, client_id))


def edit(api: Api, client_id: str) -> Client:
    """The same, for who may edit it: raises NotAuthorised where this token may see the client and not change it."""
    return shown(data_of(api.door.get(f"/clients/{client_id}/edit").json()))


def find(api: Api, client_id: str) -> Client | None:
    """One client, archived and deleted ones too; None where there is none, or none that this token may see.

    Raises NotAuthorised where this token sees the client and not its money.
    """
    return next(iter(list_clients(api, Filter(client_id=client_id), page_size=2)), None)


def blank(api: Api) -> dict[str, object]:
    """What a new client starts with: every column but its id, by name, None for nothing.

    It is no client: the server makes none by it, and draws no number.
    """
    record = data_of(api.door.get("/clients/create").json())
    columns = as_dict(client_of({**record, "id": "new"}))
    return {name: value for name, value in columns.items() if name not in {"id", "contacts", "documents"}}


def list_clients(api: Api, wanted: Filter = ALL, *, sort: str = BY_ID, page_size: int = 500) -> Iterator[Client]:
    """The clients of a filter, each once, in the order of `sort` (`name|asc`, `balance|desc` ...), page by page.

    All of them that this token may see, where nobody writes to the server meanwhile: rows that hide behind others of
    the same rank at the edge of a page are fetched at the end, out of order. Where somebody writes, the list may miss a
    client that was moved to a page that was read already, and may hold one that fits the filter no more: `ninja-sync
    pull` is the way that misses none. Raises SettingsError for a sort that the server does not know, at once;
    FilterIgnored where it sends who does not fit; PagesMoved where clients stay missing; UnexpectedShape for a record
    that is none; NotAuthorised where the server leaves the money out.
    """
    records = every_record(api.door, {**parameters(wanted), "sort": check_order(sort)}, check_page_size(page_size))
    return (client for client in map(client_of, records) if matches(wanted, client))


def count_clients(api: Api, wanted: Filter = ALL) -> int:
    """How many clients a filter has: one request, or, where only their records tell, all of its pages.

    That is with times, and with balances of more than nine digits before the point. Raises what `list_clients` does.
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
    """The typed value of one record. Raises NotAuthorised where the server leaves money out, as since 5.12 it may."""
    if record.get("client_hash") == "" and not any(record.get(name) for name in _FIGURES):
        raise NotAuthorised(
            f"This token may not see money: of the client {record.get('id')} the server sends 0 for its balances. Use "
            "a token of an owner or administrator."
        )
    return client_of(record)


def record_of(door: Door, client_id: str) -> dict[str, object]:
    """One client as the server sends it, secrets and all: for use inside this package, and never kept or shown."""
    return data_of(door.get(f"/clients/{client_id}").json())


def data_of(answer: object) -> dict[str, object]:
    """The record inside an answer. Raises UnexpectedShape where there is none."""
    found = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise UnexpectedShape("The server answered JSON without the record that was asked for.")
    return found
