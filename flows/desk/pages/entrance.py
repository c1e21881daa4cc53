"""The entrance of the desk: the one-time link, before there is a session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from flows.desk.render import render
from flows.desk.visit import Desk


def entrance(desk: Desk) -> list[Route]:
    """Return the routes of the entrance. A link is used up by its button, not by opening it: chats open links too."""
    return [
        Route("/enter/{token}", _door(desk), methods=["GET"]),
        Route("/enter/{token}", _entered(desk), methods=["POST"]),
    ]


def _door(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def door(request: Request) -> Response:
        token = str(request.path_params["token"])
        works = desk.sessions.is_invited(token)
        return HTMLResponse(
            render("enter.html", {"works": works, "is_inside": _is_inside(desk, request)}),
            HTTPStatus.OK if works else HTTPStatus.GONE,
        )

    return door


def _is_inside(desk: Desk, request: Request) -> bool:
    """Whether this browser has a session already."""
    return desk.sessions.find(request.cookies.get(desk.cookie, "")) is not None


def _entered(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def entered(request: Request) -> Response:
        session = desk.sessions.enter(str(request.path_params["token"]))
        if session is None:
            return HTMLResponse(
                render("enter.html", {"works": False, "is_inside": _is_inside(desk, request)}), HTTPStatus.GONE
            )
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            desk.cookie, session.key, httponly=True, samesite="strict", secure=desk.url.startswith("https:"), path="/"
        )
        return answer

    return entered
