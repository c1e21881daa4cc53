"""Statements of many clients in one run: checked with the server first, then fetched or mailed, with all results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, TypeVar

from connector.api.api import Api
from connector.clients import Period
from flows.session.progress import Progress, silent
from flows.show.counted import counted
from flows.statements.fetch import Drawn, draw_statements, mail_statements, named, zip_statements
from schemas.client import Client
from schemas.errors import SyncError

Item = TypeVar("Item")
NO_ADDRESS = "no contact has an e-mail address"


@dataclass(frozen=True, slots=True)
class Run:
    """The results of a run for `of` clients, problems included, and the error that ended it early, if any."""

    drawn: Sequence[Drawn]
    of: int
    mailed: bool = False
    stopped: SyncError | None = None

    @property
    def done(self) -> int:
        """How many statements there are."""
        return sum(not result.problem for result in self.drawn)

    def state(self) -> str:
        """Say how many statements there are."""
        state = "Requested by mail" if self.mailed else "Saved"
        more = " The server does not report whether it sent them." if self.mailed else ""
        return f"{state}: {self.done:,} of {counted(self.of, 'statement')}.{more}"

    def missing(self) -> str:
        """Say how many are missing, and what to do about it; nothing if none is."""
        if self.done == self.of:
            return ""
        again = "run it again for these"
        again += " only: the others would be mailed twice" if self.mailed else ""
        return f"Missing: {self.of - self.done:,} of {counted(self.of, 'statement')}; {again}."


def fetch_into(
    api: Api,
    wanted: Sequence[Client],
    left: Sequence[Drawn],
    period: Period,
    folder: Path,
    *,
    again: bool = False,
    progress: Progress = silent,
) -> Run:
    """Fetch statements into a folder. `left` are the clients that get none, each with the reason."""
    drawn, stopped = until_stopped(draw_statements(api, wanted, period, folder, again=again, progress=progress))
    return Run([*left, *drawn], len(wanted) + len(left), stopped=stopped)


def fetch_as_zip(
    api: Api,
    wanted: Sequence[Client],
    left: Sequence[Drawn],
    period: Period,
    file: BinaryIO,
    *,
    progress: Progress = silent,
) -> Run:
    """Fetch statements into one ZIP file."""
    drawn, stopped = until_stopped(zip_statements(api, wanted, period, file, progress=progress))
    return Run([*left, *drawn], len(wanted) + len(left), stopped=stopped)


def mail(
    api: Api, wanted: Sequence[Client], left: Sequence[Drawn], period: Period, *, progress: Progress = silent
) -> Run:
    """Have the server mail statements."""
    drawn, stopped = until_stopped(mail_statements(api, wanted, period, progress=progress))
    return Run([*left, *drawn], len(wanted) + len(left), mailed=True, stopped=stopped)


def still_owing(api: Api, ids: Sequence[str], at_least: Decimal = Decimal(0)) -> tuple[list[Client], list[Drawn]]:
    """Read these clients from the server; return those that owe something, and so much, and the others with the reason.

    A list of debtors may be hours old: a client that has paid since gets no statement.
    """
    read, left = named(api, ids)
    owing: list[Client] = []
    for client in read:
        if why := _why_not(client, at_least):
            left.append(Drawn(client.id, client.display_name or "", problem=why))
        else:
            owing.append(client)
    return owing, left


def with_address(wanted: Sequence[Client]) -> tuple[list[Client], list[Drawn]]:
    """Return the clients with an e-mail address, and the others: the server would mail them to nobody."""
    reached = [client for client in wanted if any((contact.email or "").strip() for contact in client.contacts)]
    keys = {client.id for client in reached}
    others = [client for client in wanted if client.id not in keys]
    return reached, [Drawn(client.id, client.display_name or "", problem=NO_ADDRESS) for client in others]


def until_stopped(run: Iterable[Item]) -> tuple[list[Item], SyncError | None]:
    """Return the results of a run, and the error that ended it, if any: results before the error are shown too."""
    items: list[Item] = []
    try:
        for item in run:
            items.append(item)  # noqa: PERF402 - keeps the results before an error
    except SyncError as problem:
        return items, problem
    return items, None


def _why_not(client: Client, at_least: Decimal) -> str:
    if client.is_deleted:
        return "it was deleted on the server"
    if client.balance <= 0:
        return "it owes nothing any more"
    return "it owes less than the least amount now" if client.balance < at_least else ""
