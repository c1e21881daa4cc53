"""Attaching files to a client.

The server decides by the content what kind of file it is, answers 200 and does nothing where it finds no file under the
right name, and stores a file again that is sent again (uploads recorded on 5.10.42). So files are looked at before, and
the documents of the client afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connector.answer import Answer
from connector.api import Api, Outcomes, perform
from connector.clients.read import record_of
from connector.clients.settle import settle
from schemas.client import Document, client_of
from schemas.errors import NotVerified, SettingsError
from schemas.journal import Call, Edit, Outcome

MOST_BYTES: Final = 100 * 1024 * 1024
"""Of one file, and of all files of a call (app/Http/Requests/Request.php:23); a web server in front may allow less."""
SHORTEST: Final = 2
"""Bytes: a shorter file is of no kind (recorded)."""
ENDINGS: Final = (
    "png", "ai", "jpeg", "jpg", "tiff", "tif", "pdf", "gif", "psd", "txt", "doc", "xls", "ppt", "xlsx", "docx", "pptx",
    "webp", "xml", "zip", "csv", "ods", "odt", "odp",
)  # fmt: skip
"""What the server takes, as it lists them in its refusal (recorded), and two of its own other spellings."""


def upload(api: Api, client_id: str, files: Sequence[Path], *, is_public: bool = True) -> list[Document]:
    """Attach files to a client, in one call, and return the documents that are new.

    Not to be repeated: a file that is sent again is there twice. After a lost answer it is looked up what arrived.
    `is_public` says whether the client sees them in the portal. Raises SettingsError for a file that cannot be read, is
    empty, too large, or of a kind that the server does not take (nothing was sent), Invalid where the server finds its
    content to be of another kind, NotVerified where not all of them are there afterwards.
    """
    contents = [(path.name, _content(path)) for path in files]
    if not contents:
        raise SettingsError("Nothing was sent: name a file.")
    if sum(len(content) for _, content in contents) > MOST_BYTES:
        raise SettingsError(f"Nothing was sent: together the files are larger than {MOST_BYTES // 2**20} MiB.")
    before = {one.id for one in client_of(record_of(api.door, client_id)).documents}
    edit = Edit(client_id, {"documents": sorted(before)}, {"documents": [name for name, _ in contents]})
    call = Call("upload", [edit], api.plan_id)

    def send() -> Answer:
        fields = {"is_public": "1" if is_public else "0"}
        return api.door.upload(f"/clients/{client_id}/upload", contents, fields, repeatable=False)

    def read_back(_answer: Answer | None) -> Outcomes:
        return settle(api, call) or [(client_id, Outcome.UNKNOWN)]

    ((_, outcome),) = perform(api, call, send, read_back)
    now = [one for one in client_of(record_of(api.door, client_id)).documents if one.id not in before]
    if outcome is not Outcome.APPLIED:
        raise NotVerified(f"The server answered, and has {len(now)} of {len(contents)} files: client {client_id}.")
    return now


def _content(path: Path) -> bytes:
    """The bytes of a file that the server may take. Raises SettingsError, naming the file."""
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            raise SettingsError(f"Nothing was sent: {path} is larger than {MOST_BYTES // 2**20} MiB.")
        content = path.read_bytes()
    except OSError as problem:
        raise SettingsError(f"Nothing was sent: {path} cannot be read ({problem.strerror}).") from None
    if len(content) < SHORTEST:
        raise SettingsError(f"Nothing was sent: {path} is empty.")
    if path.suffix.lower().removeprefix(".") not in ENDINGS:
        raise SettingsError(f"Nothing was sent: {path} is of no kind that the server takes: {', '.join(ENDINGS)}.")
    return content
