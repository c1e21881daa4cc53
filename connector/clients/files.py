"""Attaching files to a client.

The server decides the kind of a file by its content. Where it finds no file under the right name it answers 200 and
does nothing. A file sent twice is stored twice (uploads recorded on 5.10.42). So files are checked before the call, and
the client's documents after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.clients.open_calls import ask_what_happened
from connector.clients.purge import check_id
from connector.clients.read import record_of
from connector.clients.watch import Sent, watched
from connector.door.answer import Answer
from connector.door.halt import rest
from schemas.client import Document, client_of
from schemas.errors import Invalid, NotVerified, SettingsError
from schemas.journal import Call, Edit, Outcome

MOST_BYTES: Final = 100_000 * 1024
"""Of one file (app/Http/Requests/Request.php:23), and here of all files of a call; a proxy may allow less."""
_LARGEST: Final = "100,000 kB"
SHORTEST: Final = 2
"""Bytes: the server recognises no kind in a shorter file (recorded)."""
ENDINGS: Final = (
    "png", "ai", "jpeg", "jpg", "tiff", "tif", "pdf", "gif", "psd", "txt", "doc", "xls", "ppt", "xlsx", "docx", "pptx",
    "webp", "xml", "zip", "csv", "ods", "odt", "odp",
)  # fmt: skip
"""The endings that the server lists in its refusal (recorded), and two spellings of them that it takes too."""


def upload(
    api: Api,
    client_id: str,
    files: Sequence[Path],
    *,
    is_public: bool | None = None,
    sleep: Callable[[float], None] = rest,
) -> list[Document]:
    """Attach files to a client, in one call, and return the new documents.

    Not to be repeated: a file sent twice is there twice. After a lost answer, asks the server for up to a minute what
    arrived. `is_public` decides whether the client sees the files in the portal; None leaves it to the server (5.10:
    yes). Raises SettingsError for a file that is unreadable, empty, too large, or of a kind that the server does not
    take (nothing was sent); Invalid where the server finds another kind of content (nothing was stored); NotVerified
    where some files are missing afterwards. The journal records only the kinds of the files.
    """
    contents = _contents(files)
    record = record_of(api.door, client_id)
    check_id(record, client_id)
    before = {document.id for document in client_of(record).documents}
    kinds: list[object] = [_kind(path) for path in files]
    call = Call("upload", [Edit(client_id, {"documents": sorted(before)}, {"documents": kinds})], api.plan_id)
    fields = {} if is_public is None else {"is_public": "1" if is_public else "0"}
    path = f"/clients/{client_id}/upload"
    send = Sent(api.door, client_id, lambda: api.door.upload_files(path, contents, fields, repeatable=False))

    def look() -> Outcomes:
        return ask_what_happened(api, call) or [(client_id, Outcome.UNKNOWN)]

    def read_back(_answer: Answer | None) -> Outcomes:
        return watched(look, lambda outcomes: outcomes[0][1] is Outcome.APPLIED, send.patience, sleep)

    try:
        ((_, outcome),) = perform(api, call, send, read_back)
    except Invalid as refusal:
        raise Invalid(f"{refusal}{_meant(refusal, files)}", status=refusal.status) from None
    now = [document for document in client_of(record_of(api.door, client_id)).documents if document.id not in before]
    if outcome is not Outcome.APPLIED:
        raise NotVerified(f"The server answered, but has {len(now)} of {len(contents)} files: client {client_id}.")
    return now


def _contents(files: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Names without their folders, and bytes. Checks all sizes before it reads a file: they must fit in memory."""
    if not files:
        raise SettingsError("Nothing was sent: name a file.")
    if sum(map(_size, files)) > MOST_BYTES:
        raise SettingsError(f"Nothing was sent: together the files are larger than {_LARGEST}. Send them one by one.")
    if len({path.resolve() for path in files}) < len(files):
        raise SettingsError("Nothing was sent: one file is named twice, and would be stored twice.")
    return [(path.name, _content(path)) for path in files]


def _size(path: Path) -> int:
    """Bytes of a file that the server may take, by its metadata. Raises SettingsError, naming the file."""
    try:
        metadata = path.stat()
        path.name.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"Nothing was sent: the name of {path} is not text (UTF-8); rename it.") from None
    except (OSError, ValueError) as problem:
        raise SettingsError(f"Nothing was sent: {path} cannot be read ({_why(problem)}).") from None
    if not S_ISREG(metadata.st_mode):  # a pipe or a device might never end
        raise SettingsError(f"Nothing was sent: {path} is not a plain file.")
    if _kind(path) not in ENDINGS:
        raise SettingsError(f"Nothing was sent: the server does not take {path}. It takes: {', '.join(ENDINGS)}.")
    if metadata.st_size > MOST_BYTES:
        raise SettingsError(f"Nothing was sent: {path} is larger than {_LARGEST}.")
    return metadata.st_size


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise SettingsError(f"Nothing was sent: {path} cannot be read ({_why(problem)}).") from None
    if len(content) > MOST_BYTES:  # it has grown
        raise SettingsError(f"Nothing was sent: {path} is larger than {_LARGEST}.")
    if len(content) < SHORTEST:
        raise SettingsError(f"Nothing was sent: {path} is empty or has one byte, and the server does not take that.")
    return content


def _kind(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _meant(refusal: Invalid, files: Sequence[Path]) -> str:
    """The files that a refusal is about: the server counts them, from 0."""
    numbers = sorted({int(digits) for digits in re.findall(r"documents\.([0-9]{1,6})", str(refusal))})
    meant = ", ".join(str(files[number]) for number in numbers if number < len(files))
    return f" These are: {meant}. Their content does not match the kinds in their names." if meant else ""


def _why(problem: OSError | ValueError) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
