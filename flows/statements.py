"""Statements of many clients as PDF files, in a folder; a run that was cut off goes on where it stood."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connector import clients
from connector.api import Api
from connector.clients import Period
from flows.job import Tell, silent
from schemas.client import Client
from schemas.errors import ApiError, SettingsError, UnexpectedShape
from warehouse.private import make_private_folder, write_private

LONGEST_NAME: Final = 80
"""Bytes of a client's name, and of its number, in a file's name: a file system takes 255 in all."""
_ODD: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One client's statement: the file, whether it was there already, or why there is none."""

    client_id: str
    name: str = field(repr=False)
    file: Path | None = None
    was_there: bool = False
    problem: str = ""


def draw_statements(
    api: Api, wanted: Iterable[Client], period: Period, folder: Path, *, again: bool = False, tell: Tell = silent
) -> Iterator[Drawn]:
    """Fetch the statement of each client into a folder (0600), one after the other; yields what came of each.

    A file that is there whole is not fetched again, unless `again`: a run that was cut off goes on so. One client's
    failure does not stop the others, but for a token that is refused and a server that cannot be reached at all.
    """
    make_private_folder(folder)
    everyone = list(wanted)
    for number, client in enumerate(everyone):
        tell("statements", number, len(everyone))
        file = folder / file_name(client, period)
        if not again and _is_whole(file):
            yield Drawn(client.id, client.display_name or "", file, was_there=True)
            continue
        try:
            content = clients.client_statement(api, client.id, period)
        except (ApiError, UnexpectedShape) as problem:
            if isinstance(problem, ApiError) and problem.status is None:
                raise
            yield Drawn(client.id, client.display_name or "", problem=str(problem))
            continue
        _write(file, content)
        yield Drawn(client.id, client.display_name or "", file)


def owing(api: Api) -> Iterator[Client]:
    """All clients that are not deleted and have a balance, be it a credit."""
    for status in ("active", "archived"):
        for wanted in (clients.Filter(status={status}, balance_gt=0), clients.Filter(status={status}, balance_lt=0)):
            yield from clients.list_clients(api, wanted)


def file_name(client: Client, period: Period) -> str:
    """A name of letters, digits, points and hyphens: number, name, id and period. The id keeps it this client's alone.

    No path, device or hidden file comes of it, whatever the client is called.
    """
    told, number = _part(client.display_name), _part(client.number)
    parts = (number, told, client.id, f"{period.start:%Y%m%d}-{period.end:%Y%m%d}")
    return "statement_" + "_".join(filter(None, parts)) + ".pdf"


def _part(text: str | None) -> str:
    """A text as part of a file's name; a letter that is cut in the middle is left out."""
    plain = _ODD.sub("-", unicodedata.normalize("NFKC", text or "")).strip("-._")
    return plain.encode()[:LONGEST_NAME].decode("utf-8", "ignore").strip("-._")


def _is_whole(file: Path) -> bool:
    """Whether a statement is there. Files get their names when they are whole."""
    return file.is_file() and not file.is_symlink() and file.stat().st_size > 0


def _write(file: Path, content: bytes) -> None:
    """Raises SettingsError where the folder cannot be written, or something else stands in the file's place."""
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise SettingsError(f"{file} is no plain file: take it away, or name another folder.")
    try:
        write_private(file.absolute(), content)
    except OSError as problem:
        raise SettingsError(f"{file} cannot be written: {os.strerror(problem.errno or 0)}.") from None
