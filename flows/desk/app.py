"""The desk as a web application: its routes, and the way from a request to a handler and back."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flows.ask.kept import waiting_at_most
from flows.desk.answers import Answer, DeskRoute, Download, Page, See
from flows.desk.guard import Guard
from flows.desk.pages import PAGES
from flows.desk.pages.entrance import entrance
from flows.desk.render import render
from flows.desk.visit import NAVIGATION, Desk, Form, Upload, Visit
from flows.session.operator import acting_as
from flows.show.describe import describe
from schemas.errors import ApiError, Busy, SyncError, UnsafePlan

STATIC: Final = Path(__file__).parent / "static"
MOST_FIELDS: Final = 10_000
"""Texts and files of one form: a grid of a thousand rows has many."""
MOST_PAGES: Final = 10
"""Pages that forms led to and that one person can go back to."""
TOO_LARGE: Final = "It is too large, or damaged. Nothing was changed."
PATIENCE: Final = 3.0
"""Seconds that a request waits for figures that are being computed, before its page says so and tries again."""
INLINE: Final = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"
"""The policy of a file that the browser shows itself: it runs no script of the file."""


def build_app(desk: Desk, origins: frozenset[str]) -> Starlette:
    """Return the desk as an ASGI application that answers under these origins only."""
    routes = [Route(route.path, _endpoint(desk, route), methods=[route.verb]) for route in PAGES]
    return Starlette(
        routes=[*entrance(desk), *routes, Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[Middleware(Guard, origins=origins)],
        exception_handlers={HTTPException: _not_there},
    )


def _endpoint(desk: Desk, route: DeskRoute) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        session = desk.sessions.find(request.cookies.get(desk.cookie, ""))
        if session is None:
            return _bare("no_session.html", HTTPStatus.UNAUTHORIZED)
        texts, files = await _form(request) if route.verb == "POST" else ([], {})
        visit = Visit(desk, session, dict(request.path_params), dict(request.query_params), Form(texts), files)
        return await run_in_threadpool(_answer, visit, route)

    return endpoint


async def _form(request: Request) -> tuple[list[tuple[str, str]], dict[str, Upload]]:
    async with request.form(max_fields=MOST_FIELDS, max_files=10, max_part_size=MOST_FIELDS * 100) as form:
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        files = {
            name: Upload(value.filename or "", await value.read())
            for name, value in form.multi_items()
            if isinstance(value, UploadFile) and value.filename
        }
    return texts, files


def _answer(visit: Visit, route: DeskRoute) -> Response:
    """Return the answer of a handler, or the page of its error."""
    token = visit.form.get("csrf").encode()
    if route.verb == "POST" and not secrets.compare_digest(token, visit.session.csrf.encode()):
        return _problem(visit, route, "This form is too old. Open its page again, then send it.", HTTPStatus.FORBIDDEN)
    if route.writes and not visit.may_write:
        return _problem(visit, route, "This desk may only read. Nothing was changed.", HTTPStatus.FORBIDDEN)
    try:
        with acting_as(visit.session.person), waiting_at_most(PATIENCE):
            answer = route.handler(visit)
            return _response(visit, answer, route)
    except SyncError as problem:
        return _problem(visit, route, str(problem), _status_of(problem))
    except HTTPException as problem:
        return _problem(visit, route, problem.detail, problem.status_code)
    except Exception as problem:  # noqa: BLE001 - its text may hold people's data: the page shows its place instead
        return _problem(visit, route, describe(problem)[0], HTTPStatus.INTERNAL_SERVER_ERROR)


def _response(visit: Visit, answer: Answer, route: DeskRoute) -> Response:
    """Return the answer for the browser. A form leads to a page with an address: who goes back sends nothing again."""
    if isinstance(answer, Page) and route.verb == "POST":
        answer = See(f"/shown/{visit.keep(answer, most=MOST_PAGES)}")
    if isinstance(answer, See):
        return RedirectResponse(answer.url, HTTPStatus.SEE_OTHER)
    if isinstance(answer, Download):
        kind = "inline" if answer.inline else "attachment"
        headers = {"Content-Disposition": f"{kind}; filename*=UTF-8''{quote(answer.name)}"}
        if answer.inline:
            headers["Content-Security-Policy"] = INLINE
        return Response(answer.content, media_type=answer.media_type, headers=headers)
    values = {**_shared(visit), **answer.values, "title": answer.title}
    return HTMLResponse(render(answer.template, values), answer.status)


def _shared(visit: Visit) -> dict[str, Any]:
    """Return the values that every page of a session has."""
    return {
        "visit": visit, "csrf_token": visit.session.csrf, "navigation": NAVIGATION, "may_write": visit.may_write,
        "sources": list(visit.settings.sources), "take_notes": visit.session.take_notes,
        "running": [job for job in visit.desk.jobs.running() if job.session == visit.session.key],
    }  # fmt: skip


def _problem(visit: Visit, route: DeskRoute, text: str, status: int) -> Response:
    """Return the page of an error. It belongs to the section of its route: a company chosen on it leads back there.

    If the warehouse is busy, the page tries again; it has what a person typed into a form, to send it again.
    """
    is_busy = status == HTTPStatus.SERVICE_UNAVAILABLE
    again = is_busy and not visit.form.texts
    values = {
        "text": text, "again": again, "sent": _to_send_again(visit) if is_busy else [],
        "to": route.path.format(**{name: quote(value, safe="") for name, value in visit.path.items()}),
        "at": dict(NAVIGATION).get("/" + route.path.split("/")[1], ""),
    }  # fmt: skip
    response = _response(visit, Page("problem.html", values, "This did not work", status), route)
    if again:
        response.headers["Retry-After"] = "5"
    return response


def _to_send_again(visit: Visit) -> list[tuple[str, str]]:
    """Return the texts of a form; none if it has a file, or a password, which no page may hold."""
    if visit.files or "password" in visit.form:
        return []
    return [(name, text) for name, text in visit.form.texts if name != "csrf"]


def _status_of(problem: SyncError) -> int:
    if isinstance(problem, Busy):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(problem, ApiError):
        return HTTPStatus.BAD_GATEWAY
    return HTTPStatus.CONFLICT if isinstance(problem, UnsafePlan) else HTTPStatus.BAD_REQUEST


def _bare(template: str, status: int, values: Mapping[str, Any] | None = None) -> Response:
    """Return a page for somebody who has no session."""
    return HTMLResponse(render(template, values or {}), status)


def _not_there(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else HTTPStatus.NOT_FOUND
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return _bare("not_there.html", status, {"title": "This page is not there", "text": "The address is wrong."})
    return _bare("not_there.html", status, {"title": "This form cannot be read", "text": TOO_LARGE})
