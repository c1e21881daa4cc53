"""One request of a person to the desk, as a handler sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import urlsplit

from flows.configuration.values import Settings
from flows.desk.answers import See
from flows.desk.jobs import Job, Jobs
from flows.desk.sessions import MOST_KEPT, Kept, Session, Sessions
from flows.session.progress import Progress
from schemas.errors import Busy, SettingsError

Result = TypeVar("Result")
NAVIGATION: Final = (
    ("/", "Today"), ("/clients", "Clients"), ("/duplicates", "Duplicates"), ("/merges", "Merges"),
    ("/corrections", "Corrections"), ("/plans", "Plans"), ("/receivables", "Receivables"), ("/health", "Health"),
)  # fmt: skip
"""The pages in the bar, with their titles."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a person has sent: its name and its content."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The texts of a form; a name may have several."""

    texts: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def get(self, name: str, default: str = "") -> str:
        """Return the last text of this name."""
        return next((text for key, text in reversed(self.texts) if key == name), default)

    def getlist(self, name: str) -> list[str]:
        """Return all texts of this name."""
        return [text for key, text in self.texts if key == name]

    def __contains__(self, name: str) -> bool:
        """Whether the form has this name: a checkbox has one only if it is ticked."""
        return any(key == name for key, _ in self.texts)


@dataclass(frozen=True, slots=True)
class Desk:
    """What all visits share: the settings, the sessions and the long work. `read_only` refuses every write."""

    settings: Settings
    sessions: Sessions = field(default_factory=Sessions)
    jobs: Jobs = field(default_factory=Jobs)
    read_only: bool = False
    url: str = ""

    @property
    def cookie(self) -> str:
        """The name of the cookie of a session.

        Browsers send cookies to every port of a host, so two desks of one machine have two names. Behind HTTPS, the
        prefix keeps out cookies that a neighbouring host has set.
        """
        parts = urlsplit(self.url)
        return f"{'__Host-' * (parts.scheme == 'https')}ninja_sync_desk{f'_{parts.port}' if parts.port else ''}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: who asks, for which company, and with which values. `path` has the parameters of the path."""

    desk: Desk
    session: Session
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default=Form(), repr=False)
    files: Mapping[str, Upload] = field(default_factory=dict, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.desk.settings

    @property
    def source(self) -> str | None:
        """The company that the person has chosen; None for all of them. A single company is always chosen."""
        if len(self.settings.sources) == 1:
            return next(iter(self.settings.sources))
        return self.session.source

    def one_source(self) -> str:
        """Return the company that the person has chosen. Raises SettingsError if none is."""
        if self.source is None:
            raise SettingsError("Choose one company at the top of the page, then try again.")
        return self.source

    @property
    def operator(self) -> str:
        """The person's name."""
        return self.session.person

    @property
    def may_write(self) -> bool:
        """Whether this desk may change anything."""
        return not self.desk.read_only

    def keep(self, value: object, *, most: int = MOST_KEPT) -> str:
        """Keep a value on the server for this session; return the key to put into a URL instead of it.

        At most `most` values of its type are kept.
        """
        return self.session.keep(value, most=most)

    def kept(self, key: str, kind: type[Kept]) -> Kept:
        """Return a kept value of a type. Raises SettingsError if it is gone, or if the key is that of another one."""
        if (value := self.session.find(key, kind)) is None:
            raise SettingsError("This page is no longer at hand, because it was left too long. Begin again.")
        return value

    def note(self, text: str) -> None:
        """Show a note on the next page."""
        self.session.note(text)

    def start(
        self,
        title: str,
        work: Callable[[Progress], Result],
        then: Callable[[Result], str],
        *,
        once: str = "",
        choice: object = None,
        again: str = "",
    ) -> See:
        """Begin long work in the background; go to the page that shows its progress. See `Jobs.start`.

        `then` takes the result and returns the URL to go to at the end. It may call `note`. Raises Busy if work with
        the same `once` is under way that has another choice, or that a colleague has begun. If the work fails, its page
        offers to send the form `again`.
        """
        job = self.desk.jobs.start(self.session.key, title, work, then, once=once, choice=choice, again=again)
        if job.session != self.session.key:
            raise Busy("A colleague has begun this already, and it is still under way. Look again in a minute.")
        return see_job(job)

    def job(self, key: str) -> Job | None:
        """Return a job of this session."""
        return self.desk.jobs.find(key, self.session.key)


def see_job(job: Job) -> See:
    """Go to the page of a job."""
    return See(f"/jobs/{job.key}")
