"""Long work of the desk, in threads of its own: a page shows how far it is, and where its result is."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, Final

from flows.ask.kept import waiting_at_most
from flows.session.progress import Progress
from flows.show.describe import describe
from schemas.errors import Busy, SyncError

MOST_ENDED: Final = 100
"""Ended jobs that are still known; the oldest go first."""
MOST_OF_ONE: Final = 5
MOST_AT_ONCE: Final = 20
"""Jobs that run at once: of one session, and of all."""


@dataclass
class Job:
    """One piece of work: who began it, how far it is, and the page of its result once it has ended.

    `problem` is the message of the error that ended it. Two jobs with the same `once` never run at once. `choice` says
    what exactly the work is: two jobs with the same `once` and `choice` would do the same. `again` is the form that
    begins the same work, where that is safe.
    """

    key: str
    title: str
    session: str = field(repr=False)
    once: str = ""
    choice: object = field(default=None, repr=False)
    again: str = ""
    phase: str = ""
    done: int = 0
    total: int | None = None
    result_url: str = ""
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self.result_url and not self.problem

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Note how far it is."""
        self.phase, self.done, self.total = phase, done, total


class Jobs:
    """The jobs of a desk."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._jobs: dict[str, Job] = {}
        self._threads: dict[str, Thread] = {}

    def start(
        self,
        session: str,
        title: str,
        work: Callable[[Progress], Any],
        then: Callable[[Any], str],
        *,
        once: str = "",
        choice: object = None,
        again: str = "",
    ) -> Job:
        """Begin work in a thread, in the context of the caller: the same operator. Return its job.

        `then` takes the result of the work and returns the page to go to. If a job with the same `once` and `choice` is
        running, that job is returned, and nothing is begun: a second click does nothing. Raises Busy if a job with the
        same `once` and another choice is running, or too many jobs are.
        """
        with self._lock:
            running = [job for job in self._jobs.values() if job.is_running]
            if (same := next((job for job in running if once and job.once == once), None)) is not None:
                if same.choice != choice:
                    raise Busy(
                        f"Other work of this kind is under way: {same.title}. Nothing was begun: wait for its end."
                    )
                return same
            _check_number(running, session)
            self._forget_old()
            job = Job(secrets.token_urlsafe(9), title, session, once, choice, again)
            self._begin(job, copy_context(), work, then)
        return job

    def find(self, key: str, session: str) -> Job | None:
        """Return a job of a session; None if it has none of this key."""
        job = self._jobs.get(key)
        return job if job is not None and job.session == session else None

    def running(self) -> list[Job]:
        """Return the jobs that have not ended."""
        with self._lock:
            return [job for job in self._jobs.values() if job.is_running]

    def wait(self) -> None:
        """Wait until all jobs have ended."""
        for thread in list(self._threads.values()):
            thread.join()

    def _begin(self, job: Job, context: Context, work: Callable[[Progress], Any], then: Callable[[Any], str]) -> None:
        thread = Thread(target=context.run, args=(_carry_out, job, work, then), name=f"desk-{job.key}", daemon=True)
        self._jobs[job.key], self._threads[job.key] = job, thread
        try:
            thread.start()
        except RuntimeError:  # the system gives no thread
            del self._jobs[job.key], self._threads[job.key]
            raise Busy(
                "This machine has no room for more work now. Nothing was begun: try again in a minute."
            ) from None

    def _forget_old(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.is_running]
        for key in ended[: max(0, len(ended) - MOST_ENDED)]:
            del self._jobs[key], self._threads[key]


def _check_number(running: Sequence[Job], session: str) -> None:
    """Refuse another job if too many are running."""
    own = sum(job.session == session for job in running)
    if own >= MOST_OF_ONE:
        raise Busy(f"You have begun {own} pieces of work that are under way. Nothing was begun: wait for one to end.")
    if len(running) >= MOST_AT_ONCE:
        raise Busy("Too much work of others is under way at this desk. Nothing was begun: try again in a minute.")


def _carry_out(job: Job, work: Callable[[Progress], Any], then: Callable[[Any], str]) -> None:
    try:
        with waiting_at_most(None):  # a request may not wait long, and this is none
            job.result_url = then(work(job.progress))
    except SyncError as problem:
        job.problem = str(problem)
    except Exception as problem:  # noqa: BLE001 - its page says that it failed, and nobody else would
        job.problem = describe(problem)[0]
