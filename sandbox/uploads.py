"""PUT /clients/{id}/upload, and what becomes of a file (UploadClientRequest, SavesDocuments, UploadFile)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from sandbox.answers import invalid, server_error
from sandbox.calls import Call
from sandbox.client_records import item_answer
from sandbox.clients import editable, reread
from sandbox.database import Row, insert, update
from sandbox.file_kinds import ACCEPTED, kind_of, pixels
from sandbox.multipart import Upload
from sandbox.php_input import Input, files_in
from sandbox.php_text import filter_boolean

LARGEST = 100_000
"""Kilobytes of one file (Request.php:23)."""
YES_OR_NO = {"0", "1", "false", "true", "off", "on", "no", "yes", ""}


def upload(call: Call) -> Response:
    """PUT /clients/{id}/upload, for clients in any state: saves the files of `documents[]` and touches the client.

    Without a file, with one that is not in an array, or under another name, 200 and nothing is done (recorded). Files
    of a kind that is not accepted are 422 under these names, be they saved or not.
    """
    row = editable(call)
    check_files(call.input, "documents", "file")
    public = _public(call.input.get("is_public", True))
    if save_files(call, row, call.input.get("documents"), public=public):
        update(call.world.db, "clients", {"updated_at": call.world.clock.stamp()}, [row["id"]])
    return item_answer(call, reread(call, row["id"]))


def check_files(sent: Input, *names: str) -> None:
    """Refuses, with 422, files of these fields that are too large or of a kind that is not accepted."""
    errors = {
        field: messages
        for name in names
        for field, file in _files(name, sent.get(name))
        if (messages := list(_faults(field, file)))
    }
    if errors:
        raise invalid(errors)


def save_files(call: Call, client: Row, documents: Any, *, public: bool = True) -> bool:
    """Whether there were files in this array; they are the client's now, in the name of who made it."""
    files = files_in(documents)
    for file in files:
        _save(call, client, file, public=public)
    return bool(files)


def _files(name: str, value: Any) -> Iterator[tuple[str, Upload]]:
    """Each file with the name that a mistake of it is told under."""
    if isinstance(value, Upload):
        yield name, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield from ((f"{name}.{key}", file) for key, file in pairs if isinstance(file, Upload))


def _faults(field: str, file: Upload) -> Iterator[str]:
    if len(file.content) > LARGEST * 1024:
        yield f"The {field} must not be greater than {LARGEST} kilobytes."
    if kind_of(file.content) is None:
        yield f"The {field} must be a file of type: {', '.join(ACCEPTED)}."


def _public(value: Any) -> bool:
    """PHP's toBoolean has no answer to what is neither yes nor no, and breaks."""
    if value is None:
        return True
    if isinstance(value, list | dict) or str(value).strip().lower() not in YES_OR_NO:
        raise server_error()
    return filter_boolean(value)


def _save(call: Call, client: Row, file: Upload, *, public: bool) -> None:
    kind, stamp = kind_of(file.content), call.world.clock.stamp()
    width, height = pixels(file.content)
    row = {
        "company_id": client["company_id"],
        "user_id": client["user_id"],
        "client_id": client["id"],
        "name": file.name,
        "type": kind,
        "hash": f"{call.world.secret(40)}.{kind}",
        "size": len(file.content),
        "width": width,
        "height": height,
        "is_public": int(public),
        "created_at": stamp,
        "updated_at": stamp,
    }
    number = insert(call.world.db, "documents", row)
    insert(call.world.db, "document_contents", {"document_id": number, "content": file.content})
