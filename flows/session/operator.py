"""Who operates the program, for the journal: a person of the desk, else the user of this machine."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_PERSON: ContextVar[str] = ContextVar("person", default="")


def operator() -> str:
    """Return the operator for the journal, with this machine's name: `anna@books`."""
    return f"{_PERSON.get() or user_of_machine()}@{socket.gethostname()}"


def user_of_machine() -> str:
    """Return the name of the user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return f"uid {os.getuid()}"


@contextmanager
def acting_as(person: str) -> Iterator[None]:
    """Have a person of the desk be the operator in this thread, as long as the body runs."""
    token = _PERSON.set(person)
    try:
        yield
    finally:
        _PERSON.reset(token)
