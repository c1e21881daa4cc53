"""People at work on a stand-in server: a book-keeper's changes, purges and merges, made through its API.

The demo uses it: it changes the server here, pulls there, and shows the changes that the pull brought.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.server import Sandbox

PAID = Decimal("100.25")

Record = dict[str, Any]  # a decoded answer, as a client of the API sees it


@dataclass(frozen=True, slots=True)
class Deed:
    """One change: what was done, and the name of its client."""

    client: str
    done: str


def work_a_little(box: Sandbox) -> list[Deed]:
    """Change four clients of the sandbox: an edit, a new contact address, a payment, an archiving."""
    listed = _call(box, "GET", "/api/v1/clients?status=active&per_page=40&sort=id|asc")["data"]
    edited, contacted, archived = [c for c in listed if c["name"] and c["contacts"][0]["email"].strip()][:3]
    others = (c for c in listed if c["balance"] > PAID and c not in (edited, contacted, archived))
    paying, invoice = next((c, owed) for c in others if (owed := _owing(box, c)))
    return [
        _move_house(box, edited),
        _change_address(box, contacted),
        _pay(box, paying, invoice),
        _archive(box, archived),
    ]


def tidy_up(box: Sandbox) -> list[Deed]:
    """Merge two duplicates into the clients that they repeat, and purge another client: three are gone."""
    listed = _call(box, "GET", "/api/v1/clients?status=active&per_page=5000&sort=id|desc")["data"]
    by_id = {c["id"]: c for c in listed}
    pairs = [
        (by_id.get(pair["id"]), by_id.get(pair["duplicate_id"])) for pair in _call(box, "GET", "/_sandbox/planted")
    ]
    twins = [(kept, other) for kept, other in pairs if kept and other and kept["settings"] == other["settings"]][:2]
    in_pairs = {c["id"] for pair in pairs for c in pair if c}
    purged = next(c for c in listed if c["id"] not in in_pairs)
    return [*(_merge(box, kept, other) for kept, other in twins), _purge(box, purged)]


def _merge(box: Sandbox, survivor: Record, other: Record) -> Deed:
    _call(box, "POST", f"/api/v1/clients/{survivor['id']}/{other['id']}/merge")
    return Deed(other["display_name"], f"was merged into {survivor['display_name']}")


def _purge(box: Sandbox, client: Record) -> Deed:
    _call(box, "POST", f"/api/v1/clients/{client['id']}/purge")
    return Deed(client["display_name"], "was purged")


def _move_house(box: Sandbox, client: Record) -> Deed:
    body = {"address1": "1 New Street", "city": "Zürich", "country_id": "756", "settings": client["settings"]}
    _call(box, "PUT", f"/api/v1/clients/{client['id']}", body)
    return Deed(client["display_name"], "moved to Zürich, Switzerland")


def _change_address(box: Sandbox, client: Record) -> Deed:
    contacts = [{"id": c["id"], "is_primary": c["is_primary"]} for c in client["contacts"]]
    contacts[0]["email"] = "new.address@example.com"
    _call(box, "PUT", f"/api/v1/clients/{client['id']}", {"contacts": contacts, "settings": client["settings"]})
    return Deed(client["display_name"], "its first contact has a new e-mail address")


def _pay(box: Sandbox, client: Record, invoice: Record) -> Deed:
    part = {"invoice_id": invoice["id"], "amount": str(PAID)}
    _call(box, "POST", "/api/v1/payments", {"client_id": client["id"], "amount": str(PAID), "invoices": [part]})
    return Deed(client["display_name"], f"paid {PAID}")


def _owing(box: Sandbox, client: Record) -> Record | None:
    """An invoice on which this payment has room."""
    invoices = _call(box, "GET", f"/api/v1/invoices?client_id={client['id']}&client_status=unpaid&per_page=100")["data"]
    return next((x for x in invoices if x["balance"] > PAID and not x["is_deleted"]), None)


def _archive(box: Sandbox, client: Record) -> Deed:
    _call(box, "POST", "/api/v1/clients/bulk", {"action": "archive", "ids": [client["id"]]})
    return Deed(client["display_name"], "was archived")


def _call(box: Sandbox, method: str, path: str, body: object = None) -> Any:
    headers = {"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest", "Content-Type": "application/json"}
    headers["X-API-PASSWORD"] = box.password  # for merges and purges
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - our own server
        box.url + path.replace("|", "%7C"), data, headers, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.load(answer, parse_float=Decimal)
