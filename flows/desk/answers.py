"""What a handler of the desk answers: a page, another page to go to, or a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flows.desk.visit import Visit


WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""The media type of .xlsx."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its template, the values for it, and its title. `status` is an HTTP status."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    title: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class See:
    """Go to another page of the desk, with GET."""

    url: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file. With `inline`, the browser shows it, in a tab of its own."""

    content: bytes = field(repr=False)
    name: str
    media_type: str
    inline: bool = False


Answer = Page | See | Download


@dataclass(frozen=True, slots=True)
class DeskRoute:
    """A path, its verb, and the function that answers. `writes` is refused to those who may only read."""

    verb: str
    path: str
    handler: Callable[[Visit], Answer]
    writes: bool = False


def get(path: str, handler: Callable[[Visit], Answer]) -> DeskRoute:
    """Return the route of a page."""
    return DeskRoute("GET", path, handler)


def post(path: str, handler: Callable[[Visit], Answer], *, writes: bool) -> DeskRoute:
    """Return the route of a form. `writes` says whether it changes anything but what the person sees."""
    return DeskRoute("POST", path, handler, writes)
