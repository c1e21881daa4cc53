"""Statements of many clients, as PDF files in a folder or by mail; a run that was cut off goes on where it stood."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Final

from connector import clients
from connector.api.api import Api
from connector.clients import Period
from connector.clients.present import read_present
from connector.clients.statements import is_whole_pdf
from flows.session.progress import Progress, silent
from schemas.client import Client, client_of
from schemas.errors import ApiError, DataError, Rejected, SettingsError, SyncError
from warehouse.engine.private import make_private_folder, reason, remove_halves, write_private

LONGEST_PART: Final = 60
"""Bytes of a client's name, and of its number, in a file's name: a file system takes 255 in all."""
_ODD: Final = re.compile(r"[^\w.-]+")
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_WHOLE_SERVER: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses that mean every client: a token that is not accepted, a wait that is asked, maintenance."""

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of one client's statement: where it is, or the problem because of which there is none."""

    client_id: str
    name: str = field(repr=False)
    did: str = ""
    file: Path | None = None
    problem: str = ""


def period_of(
    start: str,
    end: str,
    *,
    payments: bool = True,
    credits: bool = True,  # noqa: A002 - Invoice Ninja's word
    aging: bool = True,
    status: str = "all",
) -> Period:
    """The period of days such as 2026-12-31: January 1st of the last day's year, and today (UTC), unless told.

    Raises SettingsError for what is no day.
    """
    last = _day(end) if end else datetime.now(UTC).date()
    first = _day(start) if start else last.replace(month=1, day=1)
    return Period(first, last, payments=payments, credits=credits, aging=aging, status=status)


def _day(told: str) -> date:
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise SettingsError(f"{told!r} is no day: write it as 2026-12-31.") from None


def draw_statements(
    api: Api,
    wanted: Sequence[Client],
    period: Period,
    folder: Path,
    *,
    again: bool = False,
    progress: Progress = silent,
) -> Iterator[Drawn]:
    """Fetch the statement of each client into a folder (0600), one after the other; yields what came of each.

    A file that is there whole is not fetched again, unless `again`: a run that was cut off goes on so. One client's
    failure does not stop the others; what means all of them does: a token that is refused, a server that cannot be
    reached, or asks to wait. Raises SettingsError where a file cannot be written.
    """
    make_folder(folder)
    for number, client in enumerate(wanted):
        progress("statements", number, len(wanted))
        file, name = folder / file_name(client, period), client.display_name or ""
        if not again and _is_there(file):
            yield Drawn(client.id, name, "was there", file)
            continue
        _check_place(file)
        try:
            content = clients.client_statement(api, client.id, period)
        except (ApiError, DataError) as problem:
            if _means_all(problem):
                raise
            yield Drawn(client.id, name, problem=str(problem))
            continue
        _write(file, content)
        yield Drawn(client.id, name, "fetched", file)
    progress("statements", len(wanted), len(wanted))


def mail_statements(
    api: Api, wanted: Sequence[Client], period: Period, *, progress: Progress = silent
) -> Iterator[Drawn]:
    """Have the server mail the statement of each client; yields what came of each.

    Not to be repeated for those that were mailed. A client that is refused does not stop the others. Anything else
    does: it is raised at the end, when it was told of each client that nothing was sent for it.
    """
    stopped: SyncError | None = None
    for number, client in enumerate(wanted):
        progress("mails", number, len(wanted))
        problem = "nothing was sent: stopped before"
        if stopped is None:
            try:
                clients.email_statement(api, client.id, period)
                problem = ""
            except SyncError as refusal:
                problem = str(refusal)
                stopped = refusal if not isinstance(refusal, Rejected) or _means_all(refusal) else None
        yield Drawn(client.id, client.display_name or "", "" if problem else "mail asked for", problem=problem)
    if stopped is not None:
        raise stopped


def named(api: Api, ids: Sequence[str]) -> tuple[list[Client], list[Drawn]]:
    """These clients, each once, and those that cannot be read, with the reason."""
    found = read_present(api.door, ids)
    read: list[Client] = []
    left: list[Drawn] = []
    for one in dict.fromkeys(ids):
        try:
            read.append(client_of(found.records[one]))
        except KeyError:
            told = "the server cannot send its record" if one in found.unread else "there is no such client"
            left.append(Drawn(one, "", problem=f"{told}, or this token may not see it"))
        except DataError as problem:
            left.append(Drawn(one, "", problem=str(problem)))
    return read, left


def owing(api: Api, *, debtors: bool = False, at_least: Decimal = NOTHING) -> Iterator[Client]:
    """All clients that are not deleted and have a balance, each once; `debtors` leaves out those with a credit.

    `at_least` is in each client's own currency, for credits as for debts.
    """
    seen: set[str] = set()
    for status in ("active", "archived"):
        wanted = [clients.Filter(status={status}, balance_gt=0)]
        if not debtors:
            wanted.append(clients.Filter(status={status}, balance_lt=0))
        for filtered in wanted:
            for client in clients.list_clients(api, filtered):
                if client.id not in seen and abs(client.balance) >= at_least:
                    seen.add(client.id)
                    yield client


def amount_of(text: str) -> Decimal:
    """The amount that a person wrote, such as 100 or 99.50; nothing for no text. Raises SettingsError."""
    if text and not re.fullmatch(r"[0-9]{1,14}(\.[0-9]{1,6})?", text):
        raise SettingsError("--at-least is an amount such as 100 or 99.50.")
    return Decimal(text or 0)


def make_folder(folder: Path) -> None:
    """Make the folder where there is none. Raises SettingsError where no file can be made in it."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is no folder: name another one.")
    make_private_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"In the folder {folder} nothing can be written: name another one.")


def file_name(client: Client, period: Period) -> str:
    """A name of letters, digits, points and hyphens: number, name, id, period, and what is left out of the statement.

    The id keeps it this client's alone. No path, device or hidden file comes of it, whatever the client is called.
    Raises SettingsError for an id that Invoice Ninja does not give.
    """
    if not _ID.fullmatch(client.id):
        raise SettingsError("The server shows a client whose id is none of Invoice Ninja's; no file is named after it.")
    days = f"{period.start:%Y%m%d}-{period.end:%Y%m%d}"
    tables = {"payments": period.payments, "credits": period.credits, "aging": period.aging}
    left_out = "-".join(name for name, shown in tables.items() if not shown)
    status = period.status if period.status != "all" else ""
    parts = (_part(client.number), _part(client.display_name), client.id, days, status, left_out and f"no-{left_out}")
    return "statement_" + "_".join(filter(None, parts)) + ".pdf"


def _part(text: str | None) -> str:
    """A text as part of a file's name; a letter that is cut in the middle is left out."""
    plain = _ODD.sub("-", unicodedata.normalize("NFKC", text or "")).strip("-._")
    return plain.encode()[:LONGEST_PART].decode("utf-8", "ignore").strip("-._")


def _means_all(problem: SyncError) -> bool:
    """Whether the other clients would fare no better: no connection, or one of those statuses."""
    return isinstance(problem, ApiError) and (problem.status is None or problem.status in _WHOLE_SERVER)


def _is_there(file: Path) -> bool:
    """Whether a whole statement is there. Files get their names when they are whole; a copy of one may not be."""
    with suppress(OSError):
        return file.is_file() and not file.is_symlink() and is_whole_pdf(file.read_bytes())
    return False


def _check_place(file: Path) -> None:
    """Raises SettingsError where something stands in a file's place that is no file of ours."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise SettingsError(f"{file} is no plain file: take it away, or name another folder.")


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all: beside, under a name that nobody has, then renamed. Raises SettingsError."""
    try:
        remove_halves(file.absolute())  # of a run that was killed
        write_private(file.absolute(), content)
    except OSError as problem:
        raise SettingsError(f"{file} cannot be written: {reason(problem)}.") from None
