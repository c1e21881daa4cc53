"""What a line of the table can be: an ending, and how a fault comes about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flows.pull.job import Pulled
from schemas.errors import SyncError
from tests.faults.scene import PAGES, Scene
from tests.faults.ways import Way
from tests.faults.wire import LOOK

ALL = (LOOK, *PAGES)


@dataclass(frozen=True)
class Converged:
    """A. `told` are unknown or missing fields that the pull reports."""

    told: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"A, told: {', '.join(sorted(self.told))}" if self.told else "A"


@dataclass(frozen=True)
class Stopped:
    """B, with this error."""

    error: type[SyncError]

    def __str__(self) -> str:
        return f"B {self.error.__name__}, exit {self.error.exit_code}"


@dataclass(frozen=True)
class SetAside:
    """C, by this field."""

    field: str
    by: str = "id"

    def __str__(self) -> str:
        return f"C, names {self.by} and {self.field}"


Ending = Converged | Stopped | SetAside
A, B, C = Converged(), Stopped, SetAside


@dataclass(frozen=True)
class Fault:
    """Strikes a request: once at each place (all in one pull), or from a place on for ever (a pull for each place).

    Places are the first look, which asks for one row, and the first, middle and last page of the data.
    """

    id: str
    what: str
    way: Way = field(repr=False)
    passes: Ending | None = None
    stays: Ending | None = None
    at: tuple[str, ...] = ALL
    why: str = ""


@dataclass(frozen=True)
class Record:
    """One client on each of the first, middle and last page is sent with these values (None of them in the sandbox).

    `kept` is what they should become in the warehouse, where that is not what they are.
    """

    id: str
    what: str
    values: Mapping[str, object] = field(repr=False)
    ending: Ending
    kept: Mapping[str, object] = field(default_factory=dict, repr=False)
    at: tuple[str, ...] = PAGES
    why: str = ""


@dataclass(frozen=True)
class Meanwhile:
    """Something happens at the server before one of these pages: a pull loses nothing, the next one converges."""

    id: str
    what: str
    event: Callable[[Scene, str], object] = field(repr=False)
    prepare: Callable[[Scene], object] = field(default=lambda _: None, repr=False)
    at: tuple[str, ...] = PAGES
    why: str = ""
    ending: Ending = A


@dataclass(frozen=True)
class Whole:
    """A run that is wrong from its beginning: there is no page at which it could strike."""

    id: str
    what: str
    play: Callable[[Scene], Pulled] = field(repr=False)
    why: str
    ending: Ending = A
    at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """Another test holds this one."""

    id: str
    what: str
    test: str
    ending: str
    at: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Waits:
    """Not yet."""

    id: str
    what: str
    why: str
    at: tuple[str, ...] = ()


Line = Fault | Record | Meanwhile | Whole | Held | Waits
