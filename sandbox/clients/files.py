"""Files in a request: which are refused, and how the others are kept (SavesDocuments, UploadFile)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.books.file_kinds import ACCEPTED, ACCEPTED_LATER, kind_of, pixels
from sandbox.php.input import Input
from sandbox.php.multipart import Upload
from sandbox.store.database import Row, insert
from sandbox.wire.answers import invalid, server_error
from sandbox.wire.calls import Call

LARGEST = 100_000
"""Kilobytes of one file (Request.php:23)."""


def check_files(call: Call) -> None:
    """Refuse, with 422, files that are too large or of an unaccepted kind, under either name."""
    accepted = ACCEPTED_LATER if call.world.generation.wants_lists_of_files else ACCEPTED
    errors = {
        field: messages
        for name in ("documents", "file")
        for field, file in _files(name, call.files.get(name))
        if (messages := list(_faults(field, file, accepted)))
    }
    if errors:
        raise invalid(errors)


def check_lists(call: Call) -> None:
    """Refuse, with 422, an upload with a `file` or `documents` that is not a list of files (5.12)."""
    if not call.world.generation.wants_lists_of_files:
        return
    errors: dict[str, list[str]] = {}
    for name in ("file", "documents"):
        if name not in call.files and name not in call.input:
            continue
        sent = call.files.get(name, call.input.get(name))
        if not isinstance(sent, list | dict):
            errors[name] = [f"The {name} must be an array."]
            continue
        for key, item in sent.items() if isinstance(sent, dict) else enumerate(sent):
            if not isinstance(item, Upload):
                field = f"{name}.{key}"
                errors[field] = [f"The {field} must be a file.", _wrong_kind(field, ACCEPTED_LATER)]
    if errors:
        raise invalid(errors)


def save_files(call: Call, client: Row, *, public: bool = True) -> bool:
    """Save the files in the array `documents`, in the token user's name. Returns whether there were any.

    A single file under that name is not saved.
    """
    sent = call.files.get("documents")
    files = [] if isinstance(sent, Upload) else [file for _, file in _files("documents", sent)]
    for file in files:
        _save(call, client, file, public=public)
    return bool(files)


def swallows(call: Call, data: Input) -> bool:
    """Whether `documents` holds anything, which makes the server forget all other fields of a client.

    The server takes an item that is not an array for a file, and breaks.
    """
    sent = data.get("documents") or ()
    if any(not isinstance(item, list | dict) for item in (sent.values() if isinstance(sent, dict) else sent)):
        raise server_error()
    return bool(sent or call.files.get("documents"))


def _files(name: str, value: Any) -> Iterator[tuple[str, Upload]]:
    """Each file with the field name that its errors get."""
    if isinstance(value, Upload):
        yield name, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, Upload):
            yield f"{name}.{key}", inner


def _faults(field: str, file: Upload, accepted: Sequence[str]) -> Iterator[str]:
    if len(file.content) > LARGEST * 1024:
        yield f"The {field} must not be greater than {LARGEST} kilobytes."
    if kind_of(file.content) is None:
        yield _wrong_kind(field, accepted)


def _wrong_kind(field: str, accepted: Sequence[str]) -> str:
    return f"The {field} must be a file of type: {', '.join(accepted)}."


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
