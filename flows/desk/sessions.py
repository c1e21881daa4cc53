"""The sessions of the desk: a person enters by a link that works once, and is known by a cookie from then on.

All of it is in the memory of this process and ends with it. Nothing of it is on a disk.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, TypeVar

from flows.session.clock import SYSTEM_CLOCK
from flows.session.operator import user_of_machine
from schemas.errors import SettingsError

Kept = TypeVar("Kept")
LINK_LASTS: Final = timedelta(hours=24)
IDLE: Final = timedelta(hours=12)
"""A session without a request for so long ends."""
MOST_KEPT: Final = 100
"""Values kept for one session: searches, uploaded sheets, orders of a review. Those not used for longest go first."""
LONGEST_NAME: Final = 60
IN_USE: Final = (
    "This name is in use: somebody at this desk has it, or a link that nobody has used yet, or the person who runs the "
    "desk. Give a name that nobody can mistake for it, such as the first name and the last name."
)


@dataclass(frozen=True, slots=True)
class Person:
    """Who enters by a link. `invited_by` is the person who made it; '' for the people whom the desk was opened for."""

    name: str
    invited_by: str = ""

    def __str__(self) -> str:
        """Return the name for the journal, which says who vouches for it."""
        return f"{self.name} (invited by {self.invited_by})" if self.invited_by else self.name


@dataclass
class Session:
    """One person in one browser, with values that must not be in a URL, and notes for the next page.

    Any number of threads may keep, find and note: those of the person's requests, and those of long work.
    """

    key: str = field(repr=False)
    csrf: str = field(repr=False)
    who: Person
    seen_at: datetime
    source: str | None = None
    _kept: OrderedDict[str, Any] = field(default_factory=OrderedDict, repr=False)
    _notes: list[str] = field(default_factory=list, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def person(self) -> str:
        """The person's name for the journal."""
        return str(self.who)

    def keep(self, value: object, *, most: int = MOST_KEPT) -> str:
        """Keep a value for this session; return the key that finds it again. Keep at most `most` of its type."""
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[key] = value
            same = [known for known, one in self._kept.items() if type(one) is type(value)]
            for old in [*same[: max(0, len(same) - most)], *list(self._kept)[: max(0, len(self._kept) - MOST_KEPT)]]:
                self._kept.pop(old, None)
        return key

    def find(self, key: str, kind: type[Kept]) -> Kept | None:
        """Return a kept value of a type; None if it is gone, or if the key is that of another one."""
        with self._lock:
            value = self._kept.get(key)
            if not isinstance(value, kind):
                return None
            self._kept.move_to_end(key)
            return value

    def forget(self, key: str) -> None:
        """Forget a value."""
        with self._lock:
            self._kept.pop(key, None)

    def kept_of(self, kind: type[Kept]) -> list[tuple[str, Kept]]:
        """Return the kept values of a type with their keys, the one used last at the end."""
        with self._lock:
            return [(key, value) for key, value in self._kept.items() if isinstance(value, kind)]

    def note(self, text: str) -> None:
        """Show a note on the next page."""
        with self._lock:
            self._notes.append(text)

    def take_notes(self) -> list[str]:
        """Return the notes that are not shown yet, and forget them."""
        with self._lock:
            notes, self._notes = self._notes, []
            return notes


class Sessions:
    """The links that nobody has used yet, and the sessions. Any number of threads may ask."""

    def __init__(self, now: Callable[[], datetime] = SYSTEM_CLOCK.now) -> None:
        self._now, self._lock = now, Lock()
        self._invited: dict[str, tuple[Person, datetime]] = {}
        self._sessions: dict[str, Session] = {}
        self._opened_for = {_folded(user_of_machine())}

    def invite(self, name: str, by: str = "") -> tuple[str, Person]:
        """Return the token of a link by which a person can enter, once, and the person.

        `by` is the person who makes it for a colleague, under a name that nobody else has. Without it, the desk is
        opened for this person. Raises SettingsError for an odd name, and for one that is in use.
        """
        person = Person(_checked(name, brackets=not by), by)
        token = secrets.token_urlsafe(24)
        with self._lock:
            if not by:
                self._opened_for.add(_folded(person.name))
            elif _folded(person.name) in self._names():
                raise SettingsError(IN_USE)
            self._invited[token] = (person, self._now() + LINK_LASTS)
        return token, person

    def is_invited(self, token: str) -> bool:
        """Whether a link works still."""
        with self._lock:
            return token in self._invited and self._invited[token][1] > self._now()

    def enter(self, token: str) -> Session | None:
        """Begin the session of a link, which works no more afterwards; None if it does not work."""
        with self._lock:
            person, until = self._invited.pop(token, (None, self._now()))
            if person is None or until <= self._now():
                return None
            made = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), person, self._now())
            self._sessions[made.key] = made
            return made

    def find(self, key: str) -> Session | None:
        """Return the session of a cookie; None if there is none, or it has ended."""
        with self._lock:
            self._end_idle()
            session = self._sessions.get(key)
            if session is not None:
                session.seen_at = self._now()
            return session

    def leave(self, session: Session) -> None:
        """End a session, and forget what it kept."""
        with self._lock:
            self._sessions.pop(session.key, None)

    def _end_idle(self) -> None:
        for old in [known for known, one in self._sessions.items() if one.seen_at + IDLE < self._now()]:
            del self._sessions[old]

    def _names(self) -> set[str]:
        """Return the names that a colleague cannot have."""
        self._end_idle()
        people = [person for person, until in self._invited.values() if until > self._now()]
        people += [session.who for session in self._sessions.values()]
        return self._opened_for | {_folded(person.name) for person in people}


def _checked(name: str, *, brackets: bool) -> str:
    """Return a name as the journal has it. A name that a colleague gives says nothing in brackets: the desk does."""
    folded = " ".join(unicodedata.normalize("NFKC", name).split())
    if not folded or len(folded) > LONGEST_NAME or not folded.isprintable() or "@" in folded:
        raise SettingsError(f"Give the person's name, of at most {LONGEST_NAME} letters, without @.")
    if not brackets and set(folded) & set("()"):
        raise SettingsError("Give the person's name without brackets: the desk adds who invited the person.")
    return folded


def _folded(name: str) -> str:
    """Return what two spellings of a name have in common."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())
