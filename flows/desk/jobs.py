"""Long work of the desk, in threads of its own: a page shows how far it is, and where its result is."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, Final

from flows.session.progress import Progress
from flows.show.describe import describe
from schemas.errors import SyncError

MOST_ENDED: Final = 100
"""Ended jobs that are still known; the oldest go first."""


@dataclass
class Job:
    """One piece of work: who began it, how far it is, and the page of its result once it has ended.

    `again` is the form that begins the same work, where that is safe. `problem` is the message of the error at its end.
    Of two jobs with the same `once`, the second is not begun.
    """

    key: str
    title: str
    session: str = field(repr=False)
    once: str = ""
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
        again: str = "",
    ) -> Job:
        """Begin work in a thread, in the context of the caller: the same operator. Return its job.

        `then` takes the result of the work and returns the page to go to. If a job with the same `once` is running,
        that job is returned, and nothing is begun: a second click does nothing.
        """
        with self._lock:
            running = next((job for job in self._jobs.values() if once and job.once == once and job.is_running), None)
            if running is not None:
                return running
            job = Job(secrets.token_urlsafe(9), title, session, once, again)
            self._jobs[job.key] = job
            self._forget_old()
            context = copy_context()
            thread = Thread(target=context.run, args=(_carry_out, job, work, then), name=f"desk-{job.key}", daemon=True)
            self._threads[job.key] = thread
            thread.start()
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

    def _forget_old(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.is_running]
        for key in ended[: max(0, len(ended) - MOST_ENDED)]:
            del self._jobs[key], self._threads[key]


def _carry_out(job: Job, work: Callable[[Progress], Any], then: Callable[[Any], str]) -> None:
    try:
        job.result_url = then(work(job.progress))
    except SyncError as problem:
        job.problem = str(problem)
    except Exception as problem:  # noqa: BLE001 - its page says that it failed, and nobody else would
        job.problem = describe(problem)[0]
