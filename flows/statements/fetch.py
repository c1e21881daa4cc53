"""Fetch the statements of many clients as PDF files, or have the server mail them. A cut-off run can resume."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile

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
"""The most bytes of a client's name, and of its number, in a file name; file systems allow 255 bytes in all."""
_ODD: Final = re.compile(r"[^\w.-]+")
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_WHOLE_SERVER: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses that concern every client: a refused token, a request to wait, maintenance."""

NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The result for one client's statement: its file, or the problem."""

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
    today: Callable[[], date],
) -> Period:
    """Return the period between two days such as 2026-12-31.

    By default it ends today and starts on January 1st of the last day's year. `today` is asked only then: see
    `flows.ask.company_day`. Raises SettingsError for a text that is not a day.
    """
    last = _day(end) if end else today()
    first = _day(start) if start else last.replace(month=1, day=1)
    return Period(first, last, payments=payments, credits=credits, aging=aging, status=status)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is not a day: write it as 2026-12-31.") from None


def draw_statements(
    api: Api,
    wanted: Sequence[Client],
    period: Period,
    folder: Path,
    *,
    again: bool = False,
    progress: Progress = silent,
) -> Iterator[Drawn]:
    """Fetch the statement of each client into a folder (0600), one after the other; yield the result of each.

    Complete files are not fetched again, unless `again` is set, so a cut-off run can resume. One client's failure does
    not stop the others. A failure that concerns all of them does: a refused token, a server that cannot be reached or
    asks to wait. Raises SettingsError if a file cannot be written.
    """
    make_folder(folder)
    for number, client in enumerate(wanted):
        progress("statements", number, len(wanted))
        file, name = folder / file_name(client, period), client.display_name or ""
        if not again and _is_there(file):
            yield Drawn(client.id, name, "was there", file)
            continue
        _check_place(file)
        content, problem = _fetched(api, client, period)
        if content is not None:
            _write(file, content)
        yield Drawn(client.id, name, "" if problem else "fetched", None if problem else file, problem)
    progress("statements", len(wanted), len(wanted))


def zip_statements(
    api: Api, wanted: Sequence[Client], period: Period, file: BinaryIO, *, progress: Progress = silent
) -> Iterator[Drawn]:
    """Fetch the statement of each client into a ZIP file; yield the result of each. It stops as `draw_statements` does.

    Read the results to the end, or close them: then the file is whole, with those that were fetched.
    """
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for number, client in enumerate(wanted):
            progress("statements", number, len(wanted))
            name = file_name(client, period)
            content, problem = _fetched(api, client, period)
            if content is not None:
                archive.writestr(name, content)
            yield Drawn(client.id, client.display_name or "", "" if problem else "fetched", problem=problem)
    progress("statements", len(wanted), len(wanted))


def _fetched(api: Api, client: Client, period: Period) -> tuple[bytes | None, str]:
    """Return a statement, or why there is none. Raises ApiError if the reason concerns all clients."""
    try:
        return clients.client_statement(api, client.id, period), ""
    except (ApiError, DataError) as problem:
        if _means_all(problem):
            raise
        return None, str(problem)


def mail_statements(
    api: Api, wanted: Sequence[Client], period: Period, *, progress: Progress = silent
) -> Iterator[Drawn]:
    """Have the server mail the statement of each client; yield the result of each.

    Do not repeat it for clients that were mailed. A client that the server refuses does not stop the others. Any other
    error does; it is raised after all remaining clients were reported as not sent.
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
    """Read these clients, each once; return them, and those that cannot be read with the reason."""
    present = read_present(api.door, ids)
    read: list[Client] = []
    left: list[Drawn] = []
    for client_id in dict.fromkeys(ids):
        try:
            read.append(client_of(present.records[client_id]))
        except KeyError:
            unread = client_id in present.unread
            why = "the server cannot send its record" if unread else "there is no such client"
            left.append(Drawn(client_id, "", problem=f"{why}, or this token may not see it"))
        except DataError as problem:
            left.append(Drawn(client_id, "", problem=str(problem)))
    return read, left


def owing(api: Api, *, debtors: bool = False, at_least: Decimal = NOTHING) -> Iterator[Client]:
    """Yield all clients that are not deleted and have a balance, each once; `debtors` leaves out negative balances.

    `at_least` is the smallest amount, owed or overpaid, in each client's own currency.
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
    """Parse an amount such as 100 or 99.50; 0 for no text. Raises SettingsError."""
    if text and not re.fullmatch(r"[0-9]{1,14}(\.[0-9]{1,6})?", text):
        raise SettingsError("The least amount is written as 100 or 99.50.")
    return Decimal(text or 0)


def make_folder(folder: Path) -> None:
    """Create a missing folder. Raises SettingsError if no file can be written into it."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder: name another one.")
    make_private_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"The folder {folder} cannot be written: name another one.")


def file_name(client: Client, period: Period) -> str:
    """Return a file name of letters, digits, points and hyphens: number, name, id, period, and the parts left out.

    The id makes it unique to this client. No client's name can turn it into a path, a device or a hidden file. Raises
    SettingsError for an id that is not of Invoice Ninja's form.
    """
    if not _ID.fullmatch(client.id):
        raise SettingsError(
            "The server sent a client with an id that is not of Invoice Ninja's form; no file is written."
        )
    days = f"{period.start:%Y%m%d}-{period.end:%Y%m%d}"
    tables = {"payments": period.payments, "credits": period.credits, "aging": period.aging}
    left_out = "-".join(name for name, shown in tables.items() if not shown)
    status = period.status if period.status != "all" else ""
    parts = (_part(client.number), _part(client.display_name), client.id, days, status, left_out and f"no-{left_out}")
    return "statement_" + "_".join(filter(None, parts)) + ".pdf"


def _part(text: str | None) -> str:
    """Return a text as part of a file name, without a letter cut in the middle."""
    plain = _ODD.sub("-", unicodedata.normalize("NFKC", text or "")).strip("-._")
    return plain.encode()[:LONGEST_PART].decode("utf-8", "ignore").strip("-._")


def _means_all(problem: SyncError) -> bool:
    """Whether a problem concerns the other clients too: no connection, or one of those statuses."""
    return isinstance(problem, ApiError) and (problem.status is None or problem.status in _WHOLE_SERVER)


def _is_there(file: Path) -> bool:
    """Whether a complete statement is there. Our files are complete when they get their name; a copy may not be."""
    with suppress(OSError):
        return file.is_file() and not file.is_symlink() and is_whole_pdf(file.read_bytes())
    return False


def _check_place(file: Path) -> None:
    """Raises SettingsError if something other than a plain file has the file's name."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise SettingsError(f"{file} is not a plain file: remove it, or name another folder.")


def _write(file: Path, content: bytes) -> None:
    """Write the file completely or not at all. Raises SettingsError."""
    try:
        remove_halves(file.absolute())  # a killed run may have left some
        write_private(file.absolute(), content)
    except OSError as problem:
        raise SettingsError(f"{file} cannot be written: {reason(problem)}.") from None
