"""Which recorded exchanges make which cassette, and what is cut from them to keep them small.

A verb asks for more than was recorded (it reads before and after it writes): its cassette is put together from
several recordings of the same client. What was changed for that is told in the cassette, in `about`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from connector.clients.filters import EARLIER

Exchange = dict[str, Any]
"""A request and its answer, as `../shared/conformance` records them."""


def whole(exchange: Exchange) -> Exchange:
    """Nothing is cut."""
    return exchange


@dataclass(frozen=True, slots=True)
class Part:
    """One exchange of a recording, by its place in it."""

    recording: str
    number: int = 0
    cut: Callable[[Exchange], Exchange] = whole


@dataclass(frozen=True, slots=True)
class Tape:
    """A cassette: its name, what it is, and its exchanges in the order in which they are asked for."""

    name: str
    about: str
    parts: tuple[Part, ...]


def edited(exchange: Exchange, change: Callable[[Any], object]) -> Exchange:
    """The exchange with its JSON changed in place, written as PHP's JSON_PRETTY_PRINT does (compared byte by byte)."""
    body = json.loads(exchange["response"]["body"])
    if _as_php(body) != exchange["response"]["body"]:
        raise ValueError("this body is not in the form in which it would be written again")
    change(body)
    made = copy.deepcopy(exchange)
    made["response"]["body"] = _as_php(body)
    return made


def _as_php(body: object) -> str:
    return json.dumps(body, indent=4).replace("/", "\\/")


def asking(exchange: Exchange, **params: object) -> Exchange:
    """The exchange with other query parameters."""
    made, address = copy.deepcopy(exchange), urlsplit(exchange["request"]["url"])
    query = urlencode(dict(parse_qsl(address.query)) | params)
    made["request"]["url"] = address._replace(query=query).geturl()
    return made


def a_page_of(size: int, number: int, pages: int, **params: object) -> Callable[[Exchange], Exchange]:
    """A page of a list, cut to so many rows; the list to as many pages as are taken. `params` are asked as well."""

    def cut(exchange: Exchange) -> Exchange:
        def change(body: Any) -> None:
            del body["data"][size:]
            body["meta"]["pagination"] |= {
                "total": size * pages, "count": len(body["data"]), "per_page": size, "total_pages": pages,
            }  # fmt: skip

        return asking(edited(exchange, change), per_page=size, page=number, **params)

    return cut


def with_fields(**fields: object) -> Callable[[Exchange], Exchange]:
    """A client with other values in these fields: as it was before the write that was recorded."""
    return lambda exchange: edited(exchange, lambda body: body["data"].update(fields))


def nobody_with(**params: object) -> Callable[[Exchange], Exchange]:
    """An empty list, as the answer to another question."""

    def cut(exchange: Exchange) -> Exchange:
        made = copy.deepcopy(exchange)
        address = urlsplit(made["request"]["url"])
        query = urlencode({**params, "sort": "id|asc", "per_page": 5})
        made["request"]["url"] = address._replace(query=query).geturl()
        return edited(made, lambda body: body["meta"]["pagination"].update(total=0, per_page=5, links={}))

    return cut


def one_of(client_id: str, **fields: object) -> Callable[[Exchange], Exchange]:
    """A client of a recorded list, as if it had been asked for alone; with other values in these fields."""

    def cut(exchange: Exchange) -> Exchange:
        made = copy.deepcopy(exchange)
        made["request"]["url"] = f"{exchange['request']['url'].partition('?')[0]}/{client_id}"

        def change(body: Any) -> None:
            (row,) = (one for one in body["data"] if one["id"] == client_id)
            body.clear()
            body["data"] = row | fields

        return edited(made, change)

    return cut


def including(name: str) -> Callable[[Exchange], Exchange]:
    """A client as it was recorded, asked for with an include of which it has none."""
    return lambda exchange: edited(asking(exchange, include=name), lambda body: body["data"].update({name: []}))


def shown(exchange: Exchange) -> Exchange:
    """The client in the answer of a write, as if it had been asked for afterwards."""
    made = copy.deepcopy(exchange)
    body, headers = json.loads(made["response"]["body"]), made["request"]["headers"]
    address = f"http://ninja.test/api/v1/clients/{body['data']['id']}"
    kept = {name: headers[name] for name in ("Accept", "X-Requested-With", "X-API-TOKEN")}
    made["request"] = {"method": "GET", "url": address, "headers": kept, "body": None}
    return made


def both(first: Callable[[Exchange], Exchange], then: Callable[[Exchange], Exchange]) -> Callable[[Exchange], Exchange]:
    return lambda exchange: then(first(exchange))


def saved(recording: str, number: int, cut: Callable[[Exchange], Exchange] = whole) -> tuple[Part, ...]:
    """What a backup asks of a client; that it has no ledger and no activities is ours."""
    return tuple(Part(recording, number, both(cut, including(name))) for name in ("ledger", "activities"))


KEPT_ROWS: Final[Mapping[str, frozenset[str]]] = {
    "countries": frozenset({"36", "276", "356", "392", "528", "840"}),
    "currencies": frozenset({"1", "3", "11", "12"}),
    "industries": frozenset({"1", "6"}),
    "sizes": frozenset({"1", "3", "4"}),
    "languages": frozenset({"1", "3"}),
    "timezones": frozenset({"1", "30"}),
}
"""The rows of the server's lists that stay: those which the other cassettes point to, and a few more."""


def few_statics(exchange: Exchange) -> Exchange:
    """The lists that our code reads, cut to a few rows; the others emptied."""

    def change(lists: dict[str, Any]) -> None:
        for name, rows in lists.items():
            if isinstance(rows, list):
                rows[:] = [row for row in rows if row["id"] in KEPT_ROWS.get(name, ())]

    return edited(exchange, change)


def few_settings(exchange: Exchange) -> Exchange:
    """The company, with its tables of tax rates and registration fields emptied."""

    def change(body: Any) -> None:
        company = body["data"]
        company["client_registration_fields"], company["tax_data"] = [], {}
        settings = company["settings"]
        kept = {"entity", "name", "country_id", "currency_id", "language_id", "timezone_id", "date_format_id"}
        company["settings"] = {key: value for key, value in settings.items() if key in kept or not value}

    return edited(exchange, change)


def _one(name: str, about: str, recording: str, *numbers: int) -> Tape:
    return Tape(name, about, tuple(Part(recording, number) for number in numbers or (0,)))


PAIR: Final = ("Jrb2kgGMdW", "ELe31jYAb6")
"""The clients of the recorded refusals of a merge."""
TAPES: Final = (
    _one("ping", "the check of a token", "ping"),
    Tape("statics", "the lists by which ids are decoded; most rows are cut", (Part("statics", 0, few_statics),)),
    Tape(
        "companies_current",
        "the company of the token; its tax tables and most settings are cut",
        (Part("companies_current", 0, few_settings),),
    ),
    _one("show", "one client", "client_show"),
    _one("show_not_found", "unknown id; numeric id", "error_400_not_found", 0, 1),
    _one("show_forbidden", "another company's client", "error_401_forbidden"),
    Tape(
        "list",
        "all clients by id, three pages; cut to two rows a page and six in all",
        tuple(Part("clients_full_pull", page, a_page_of(2, page + 1, 3)) for page in range(3)),
    ),
    _one("list_past_the_end", "a page past the end", "list_page_past_the_end"),
    Tape(
        "list_updated",
        "what was changed since a moment; cut to three rows. It is asked for some hours earlier, as our filter does",
        (Part("clients_second_pull", 0, a_page_of(3, 1, 1, updated_at=1795336895 - EARLIER)),),
    ),
    _one("list_bad_include", "unknown include in the list", "error_400_include"),
    _one("list_bad_sort", "unknown sort column", "error_500"),
    _one("token_refused", "unknown token", "error_403_token", 1),
    Tape(
        "update",
        "a client with another city; the PUT; the client again. The city before is ours",
        (
            Part("client_show", 0, with_fields(city="Rotterdam")),
            Part("client_put"),
            Part("client_show"),
        ),
    ),
    _one("update_deleted", "PUT of a deleted client", "error_400_deleted"),
    Tape(
        "create_number_taken",
        "nobody has the number; then somebody has it. The first question and its empty answer are ours",
        (
            Part("list_page_past_the_end", 0, nobody_with(number="0066")),
            Part("error_422_validation", 1),
        ),
    ),
    _one("create_invalid", "bad e-mail", "error_422_validation", 0),
    _one("create_forbidden", "a user without the right to create", "error_401_forbidden", 1),
    Tape(
        "bulk_update",
        "two clients of a recorded list; bulk_update of both; the two of a later list. The silver before is ours",
        (
            Part("clients_full_pull", 0, one_of("l9av2Ym8aG")),
            Part("clients_full_pull", 0, one_of("jnegJx7rdw", custom_value1="silver")),
            Part("bulk_update", 0, lambda exchange: asking(exchange, per_page=2)),
            Part("clients_second_pull", 0, one_of("l9av2Ym8aG")),
            Part("clients_second_pull", 0, one_of("jnegJx7rdw")),
        ),
    ),
    _one("bulk_invalid", "an unknown id; a bad column", "error_422_validation", 2, 3),
    _one("bulk_broken", "an industry that does not exist is a fault of the server", "error_500", 1),
    Tape(
        "merge",
        "both clients; their backup; the merge; the one that is gone and the survivor",
        (
            Part("merge", 0),
            Part("merge", 1),
            *saved("merge", 0),
            *saved("merge", 1),
            Part("merge", 2),
            Part("merge", 3),
            Part("merge", 2, shown),
        ),
    ),
    Tape(
        "merge_password_wrong",
        "two clients of a recorded list; their backup; the merge with a wrong password",
        (
            *(Part("clients_full_pull", 0, one_of(one)) for one in PAIR),
            *saved("clients_full_pull", 0, one_of(PAIR[0])),
            *saved("clients_full_pull", 0, one_of(PAIR[1])),
            Part("error_412_password"),
        ),
    ),
    _one("merge_refused", "same id; unknown other client", "error_400_merge", 0, 1),
    Tape(
        "purge",
        "a client of a recorded list; its backup; the purge; that it is gone",
        (
            Part("clients_full_pull", 0, one_of("y5eVO5JzaE")),
            *saved("clients_full_pull", 0, one_of("y5eVO5JzaE")),
            Part("purge", 0),
            Part("purge", 2),
        ),
    ),
    _one("purge_again", "a client that was purged: shown, and purged again", "purge", 2, 1),
    _one("wrong_verb", "wrong verb; unknown path", "error_404_verb", 0, 1),
    _one("limit_reached", "429 as JSON, without headers; then an answer with room left", "error_429", 3, 0),
    _one("limit_reached_html", "429 as HTML, with the headers of the limit; then an answer", "error_429", 4, 0),
    _one("html_unknown_path", "GET of an unknown path answers HTML with 200", "html_200_unknown_get"),
    _one("html_redirect", "a refused POST without X-Requested-With is a redirect", "html_302_validation"),
    _one("html_not_found", "an unknown id without X-Requested-With", "html_404_not_found"),
)
