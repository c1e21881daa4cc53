"""Pages and envelopes around every list and every single record (BaseController.php:556-563, 943-990)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.books.lookups import statics
from sandbox.clients.query import Query
from sandbox.php.text import INT_MAX, to_int, whole_number
from sandbox.store.world import World
from sandbox.wire.answers import json_answer
from sandbox.wire.calls import Call

DEFAULT, WHEN_ZERO, MOST_ROWS = 20, 15, 5000
REMEMBERED_TOTALS = 100


@dataclass(frozen=True, slots=True)
class Page:
    """The page that a request asks for."""

    number: int
    size: int


def page_of(call: Call) -> Page:
    """`per_page` by PHP's cast, without its sign, at most 5000; `page` a plain whole number from 1."""
    size = abs(to_int(call.input["per_page"])) if "per_page" in call.input else DEFAULT
    size = min(size, call.world.switches.per_page_cap) or WHEN_ZERO
    number = call.input.get("page")
    return Page(max(whole_number(number) or 1, 1) if isinstance(number, str | int) else 1, size)


def count(world: World, query: Query) -> int:
    """How many rows there are; cached until a write, because all pages of a walk ask for it."""
    key = (query.table, query.where(), *query.args, world.db.total_changes)
    if key not in world.totals:
        if len(world.totals) > REMEMBERED_TOTALS:
            world.totals.clear()
        counted = world.db.execute(f"SELECT count(*) FROM {query.table} WHERE {query.where()}", query.args).fetchone()
        world.totals[key] = counted[0]
    return world.totals[key]


def ids_of(world: World, query: Query, page: Page) -> list[int]:
    """The row numbers of one page; without `sort`, in the order in which the database finds them."""
    order = [*query.order, "random()"] if world.switches.shuffle else query.order
    sql = f"SELECT id FROM {query.table} WHERE {query.where()}" + (f" ORDER BY {', '.join(order)}" if order else "")
    limits = (page.size, min((page.number - 1) * page.size, INT_MAX))
    counted = world.db.execute(f"{sql} LIMIT ? OFFSET ?", (*query.args, *query.order_args, *limits))
    return [number for (number,) in counted]


def pagination(call: Call, page: Page, total: int, shown: int) -> dict[str, Any]:
    """`meta.pagination`. Its links hold only the page number: filters and sort are lost."""
    last = max(1, -(-total // page.size))
    url = f"{call.host}{call.path}?page="
    links = {"previous": url + str(page.number - 1)} if page.number > 1 else {}
    if page.number < last:
        links["next"] = url + str(page.number + 1)
    return {
        "pagination": {
            "total": total,
            "count": shown,
            "per_page": page.size,
            "current_page": page.number,
            "total_pages": last,
            "links": links,
        }
    }


def envelope(call: Call, content: Any, meta: dict[str, Any] | None = None) -> Response:
    """`{"data": …, "meta": …}`; `index` renames the first key or, as `none`, takes the envelope away."""
    index = call.text("index") or "data"
    if index == "none":
        answer = dict(content) if isinstance(content, dict) else content
    else:
        answer = {index: content} | ({"meta": meta} if meta else {})
    if call.input.get("include_static"):
        answer = dict(enumerate(answer)) if isinstance(answer, list) else answer
        answer["static"] = statics()
    return json_answer({k: answer[k] for k in sorted(answer, key=str)} if isinstance(answer, dict) else answer)


def paged(call: Call, rows: Sequence[Any]) -> Response:
    """A page of rows that are all loaded."""
    page = page_of(call)
    shown = list(rows[(page.number - 1) * page.size : page.number * page.size])
    return envelope(call, shown, pagination(call, page, len(rows), len(shown)))
