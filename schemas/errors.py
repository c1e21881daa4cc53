"""Every error, named by what to do next. The docstring of a class is its default message.

    SyncError                     1  unexpected
    ├── ReadAlready                  another run has done the work
    ├── SettingsError             2  fix the configuration
    ├── ApiError                  5  the server or the network
    │   ├── Retryable                later, the same request may succeed
    │   │   ├── RateLimited
    │   │   ├── ServerUnavailable
    │   │   └── NetworkFailed
    │   └── Rejected                 the same request will be refused again
    │       ├── NotAuthorised
    │       ├── PasswordRequired
    │       ├── NotFound
    │       └── Invalid
    ├── DataError                 5  the answer breaks the server's promise
    │   ├── UnexpectedShape
    │   ├── Unreadable
    │   ├── FilterIgnored
    │   ├── PagesMoved
    │   └── EndlessList
    ├── UnsafePlan                3  look at it, then decide
    │   ├── TooMuchChange
    │   ├── StalePlan
    │   └── WrongDigest
    ├── NotVerified               4  written, but read back with another value
    │   ├── OutcomeUnknown           no complete answer, and the server cannot be asked now
    │   └── RescueMissing            a merge is done, but the change that was to follow it is not
    └── WarehouseError            6  the warehouse cannot be used now
        ├── ConnectionLost
        └── Busy

The number is the exit code. Exit code 7 is no error: loaded, but rows are in quarantine or the server sent new fields.
Three others stand beside the tree. Their callers catch them, and none of them ends a run: `Unfit` in schemas/values.py,
`Refused` in schemas/server_form.py, and `Halted` in connector/door/halt.py.
Messages never hold a secret or a person's data: they name the entity, the id, the field and the kind of value.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final

LOADED_WITH_FINDINGS = 7
EXIT_CODES: Final[Mapping[int | str, str]] = {
    0: "good",
    1: "unexpected",
    2: "fix the command or the configuration",
    3: "not safe: too much would change, or the plan is stale",
    4: "written, but another value is there; or outcome unknown",
    5: "server, network or token",
    6: "warehouse busy or unusable",
    LOADED_WITH_FINDINGS: "loaded or planned, but something needs a look",
    "129, 130, 143": "ended by SIGHUP, Ctrl-C, SIGTERM",
}
"""What each exit code of the command line means; `ninja-sync --help` shows it."""


class SyncError(Exception):
    """Something unexpected went wrong."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n", 1)[0])


def sentence(text: object) -> str:
    """A message that ends with a full stop, so that another sentence can follow."""
    message = str(text).rstrip()
    return message if not message or message[-1] in ".!?:" else f"{message}."


def raised_at(problem: BaseException) -> str:
    """Where an unexpected error was raised, as `file.py:12`. Show this instead of its text, which may hold anything."""
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}" if step else "an unknown place"


_NO_MEMORY = (
    "failed to map segment",  # a library that cannot be loaded: an ImportError
    "cannot allocate",
    "failed to allocate",
    "allocation failure",
    "bad_alloc",
    "bad allocation",
    "out of memory",
    "can't start new thread",
)


def is_short_of_memory(problem: BaseException | None) -> bool:
    """Whether the system ran out of memory, which libraries report in many ways."""
    while problem is not None:
        text = str(problem).lower()
        if isinstance(problem, MemoryError) or getattr(problem, "errno", None) == errno.ENOMEM:
            return True
        if any(words in text for words in _NO_MEMORY):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


OUT_OF_MEMORY = (
    "There is not enough memory. This run has stored nothing, except what it reported before. Give the process more: "
    "look at `ulimit -v`, the limit of its container or service, and other programs of this machine."
)


class ReadAlready(SyncError):
    """Another run has read the source since this one was due."""


class SettingsError(SyncError):
    """The configuration cannot be used: correct it, then try again."""

    exit_code = 2


class ApiError(SyncError):
    """The Invoice Ninja server did not do what was asked."""

    exit_code = 5

    def __init__(self, message: str | None = None, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Retryable(ApiError):
    """The request failed for now; the same request may succeed later."""


class RateLimited(Retryable):
    """The server answers 429: too many requests. Wait, or lower `requests_per_second`."""


class ServerUnavailable(Retryable):
    """The server cannot answer now (500, 502, 503, 504 or an unreadable answer)."""


class NetworkFailed(Retryable):
    """No complete answer came over the network."""


class Rejected(ApiError):
    """The server refused the request and will refuse it again."""


class NotAuthorised(Rejected):
    """The token is not accepted (403) or may not do this (401)."""


class PasswordRequired(Rejected):
    """The password of the token's user is missing or wrong (412)."""


class NotFound(Rejected):
    """There is no such record or path on the server."""


class Invalid(Rejected):
    """The server finds the request invalid (400 or 422)."""


class DataError(SyncError):
    """The server's answer is not as promised; nothing of it was stored."""

    exit_code = 5


class UnexpectedShape(DataError):
    """An answer or a record does not have the promised shape."""


class Unreadable(DataError):
    """The body of a page is empty or no JSON."""


class FilterIgnored(DataError):
    """The server ignored a filter."""


class PagesMoved(DataError):
    """The pages kept moving; the scan did not come to an end."""


class EndlessList(DataError):
    """The server's list does not end: its pages repeat the same records, or bring far more than there are."""


class UnsafePlan(SyncError):
    """The plan is not safe to apply."""

    exit_code = 3


class TooMuchChange(UnsafePlan):
    """More would change than the configured brake allows."""


class StalePlan(UnsafePlan):
    """The server has changed since the plan was made."""


class WrongDigest(UnsafePlan):
    """The digest is not that of the plan that was shown."""


class NotVerified(SyncError):
    """The server does not have the values that were written.

    `figures` are amounts of the clients, for a person at the terminal or the program that has called. They are not in
    the message, which ends up in logs and in Prefect's database.
    """

    exit_code = 4

    def __init__(self, message: str | None = None, *, figures: str = "") -> None:
        super().__init__(message)
        self.figures = figures


class OutcomeUnknown(NotVerified):
    """It is not known whether the server has done what was asked."""


class RescueMissing(NotVerified):
    """The merge is done; the values to keep from the client that is gone were not written."""


class WarehouseError(SyncError):
    """The warehouse cannot be used."""

    exit_code = 6


class ConnectionLost(WarehouseError):
    """The connection to the warehouse was lost. Run it again: pulls go on, `ninja-sync journal` shows what was sent."""


class Busy(WarehouseError):
    """Another process is using the warehouse."""
