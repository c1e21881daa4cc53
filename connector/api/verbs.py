"""Invoice Ninja's verbs for reading: the client list, the token's company, its groups, the server's lists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from connector.door.door import Door
from connector.scan.pages import PAGE_CAP, Ask, Page, Params, read_page
from connector.scan.progress import Progress
from schemas.entity import Entity
from schemas.errors import UnexpectedShape
from schemas.shape import Shapes


class Company(msgspec.Struct, frozen=True):
    """The company of a token. The fingerprint shows whether the server is still the one that was bound.

    `version` is the server's, as its answer named it.
    """

    id: str
    name: str
    fingerprint: str
    record: dict[str, object]
    version: str = ""


def lister(door: Door, entity: Entity, shapes: Shapes | None = None) -> Ask:
    """The function that asks for one page of an entity's list, its records shaped if `shapes` are given."""

    def ask(params: Params) -> Page:
        answer = door.get(entity.path, params)
        return read_page(answer.body, answer.date, answer.version, shapes)

    return ask


def current_company(door: Door) -> Company:
    """The company of the token itself; `GET /companies` would list all companies of its account."""
    answer = door.post("/companies/current", repeatable=True)
    record = _object(answer.json()).get("data")
    company = _object(record)
    company_id, key, settings = company.get("id"), company.get("company_key"), company.get("settings")
    texts = isinstance(company_id, str) and company_id and isinstance(key, str) and key  # no key would fit any company
    if not texts or not isinstance(settings, dict):
        raise UnexpectedShape("The server describes the token's company in an unknown shape.")
    return Company(
        id=str(company_id),
        name=str(settings.get("name") or ""),
        fingerprint=hashlib.sha256(str(key).encode()).hexdigest()[:32],
        record=company,
        version=answer.version or "",
    )


def all_groups(door: Door, entity: Entity) -> list[object]:
    """All client groups of the company, archived and deleted ones too, because clients keep pointing to them."""
    ask, groups, number, progress = lister(door, entity), list[object](), 1, Progress()
    while True:
        page = ask({"sort": "id|asc", "per_page": PAGE_CAP, "page": number})
        progress.check([page])
        groups += page.records
        if len(page.records) < page.per_page:
            return groups
        number += 1


def statics(door: Door, names: Sequence[str]) -> dict[str, list[object]]:
    """The named lists of the server: countries, currencies and the like. Raises UnexpectedShape where one is missing.

    PHP sends a list with gaps in its keys as an object; its values are the list.
    """
    lists = _object(door.get("/statics").json())
    return {name: _list(lists.get(name), name) for name in names}


def _list(sent: object, name: str) -> list[object]:
    rows = list(sent.values()) if isinstance(sent, dict) else sent
    if not isinstance(rows, list) or not rows:
        raise UnexpectedShape(f"The server sent no list of {name}, which decodes ids; nothing was stored.")
    return rows


def ping(door: Door) -> tuple[str, str]:
    """The names of the company and of the token's user; the cheapest check of a token."""
    answer = _object(door.get("/ping").json())
    return str(answer.get("company_name", "")), str(answer.get("user_name", ""))


def _object(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise UnexpectedShape("The server answered JSON that is not an object.")
