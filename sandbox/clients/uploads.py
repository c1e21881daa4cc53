"""PUT /clients/{id}/upload (UploadClientRequest, ClientController::upload)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.clients.clients import editable, reread
from sandbox.clients.files import check_files, check_lists, save_files
from sandbox.clients.records import item_answer
from sandbox.php.text import filter_boolean
from sandbox.store.database import update
from sandbox.wire.answers import server_error
from sandbox.wire.calls import Call

YES_OR_NO = {"0", "1", "false", "true", "off", "on", "no", "yes", ""}


def upload(call: Call) -> Response:
    """PUT /clients/{id}/upload, for clients in any state: saves the files of `documents[]` and touches the client.

    Without a file, with one that is not in an array, or under another name, 5.10 answers 200 and does nothing; 5.12
    refuses a `file` or `documents` that is not a list of files (recorded). Files of an unaccepted kind are 422 under
    these names, even where they would not be saved.
    """
    row = editable(call)
    check_lists(call)
    check_files(call)
    public = _public(call.input.get("is_public", True))
    if save_files(call, row, public=public):
        update(call.world.db, "clients", {"updated_at": call.world.clock.stamp()}, [row["id"]])
    return item_answer(call, reread(call, row["id"]))


def _public(value: Any) -> bool:
    """PHP's toBoolean breaks on a value that is neither yes nor no."""
    if value is None:
        return True
    if isinstance(value, list | dict) or str(value).strip().lower() not in YES_OR_NO:
        raise server_error()
    return filter_boolean(value)
