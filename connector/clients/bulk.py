"""One action for many clients: archive, restore, delete, assign_group, bulk_update; with an outcome for each.

For all of them: results are by client, in the order of the ids, each once. A client that is already as wanted is not
sent, so its stamp does not move. They may be repeated: values are absolute, and only differing clients are sent.
After a lost answer the clients are read back, and only those still undone are sent again. An error is raised (ApiError,
UnsafePlan, WarehouseError, OutcomeUnknown) where nothing was done before it. Later errors are reported by client, and
the rest is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from connector.api.api import Api
from connector.clients.action import STATUS, Action, Result, carry_out
from connector.clients.fields import checked, lists_for
from connector.door.answer import Answer
from connector.door.door import Door
from schemas.entity import Written
from schemas.errors import SettingsError
from schemas.plan import ASSIGN_GROUP, BULK_UPDATE
from schemas.server_form import NO_LISTS, WRITABLE, Lists

COLUMNS: Final = tuple(sorted(name for name, of in WRITABLE.items() if of.written is Written.BULK))
"""The columns that bulk_update can write (Client.php:230-239)."""
_NO_MORE: Final[Mapping[str, object]] = {}
_DELETED: Final = "it is deleted: restore it first"
_PASSED_OVER: Final = "the server puts only active clients into a group: restore it first"


def archive(api: Api, ids: Sequence[str]) -> list[Result]:
    """Archive clients. Refuses deleted ones, which the server would leave unchanged. May be repeated."""
    return carry_out(api, Action("archive", STATUS, "archived", _posted("archive"), {"deleted": _DELETED}), ids)


def restore(api: Api, ids: Sequence[str]) -> list[Result]:
    """Make archived and deleted clients active again. May be repeated."""
    return carry_out(api, Action("restore", STATUS, "active", _posted("restore")), ids)


def delete(api: Api, ids: Sequence[str]) -> list[Result]:
    """Mark clients as deleted, archived ones too; `restore` undoes it. May be repeated."""
    return carry_out(api, Action("delete", STATUS, "deleted", _posted("delete")), ids)


def delete_one(api: Api, client_id: str) -> Result:
    """Mark one client as deleted, by DELETE /clients/{id}; `restore` undoes it. May be repeated."""
    action = Action("delete", STATUS, "deleted", lambda door, ids: door.delete(f"/clients/{ids[0]}"))
    (result,) = carry_out(api, action, [client_id])
    return result


def assign_group(api: Api, ids: Sequence[str], group_id: str) -> list[Result]:
    """Put clients into a group. May be repeated.

    Refuses archived and deleted clients, which the server silently skips. Raises SettingsError for a group that is not
    there, or is deleted. A token that sees no groups may still assign them: then the server checks.
    """
    column = "group_settings_id"
    lists = lists_for(api.door, [column])
    wanted = checked({column: group_id}, lists if lists.names["group_settings"] else NO_LISTS)[column]
    if wanted is None:
        raise SettingsError("Nothing was sent: name the group. To take a client out of its group, update the client.")
    return carry_out(api, action_of(ASSIGN_GROUP, column, str(wanted)), ids)


def bulk_update(
    api: Api,
    ids: Sequence[str],
    column: str,
    value: object,
    *,
    clear: bool = False,
    lists: Lists | None = None,
) -> list[Result]:
    """Set one column of clients (one of COLUMNS) to one value. May be repeated.

    Checks the value first, because the server does not; uses `lists` where they were read before. Empties the column
    only with `clear`, and then the value must be None. Writes archived clients, refuses deleted ones. Raises
    SettingsError for a value that cannot be written.
    """
    if column not in COLUMNS:
        raise SettingsError(f"Nothing was sent: bulk_update writes {', '.join(COLUMNS)}; update writes other columns.")
    checked_value = checked({column: value}, lists or lists_for(api.door, [column]), by_bulk=True)[column]
    wanted = None if checked_value is None else str(checked_value)
    if clear and wanted is not None:
        raise SettingsError(f"Nothing was sent: there is a value for {column}, and `clear` as well. Choose one.")
    if wanted is None and not clear:
        raise SettingsError(f"Nothing was sent: no value for {column}. To empty it, add `clear`.")
    return carry_out(api, action_of(BULK_UPDATE, column, wanted), ids)


def action_of(verb: str, column: str, wanted: str | None) -> Action:
    """The action that sets a column, or the group, to one value that was checked before."""
    if verb == ASSIGN_GROUP:
        not_for = {"archived": _PASSED_OVER, "deleted": _PASSED_OVER}
        return Action(verb, column, wanted, _posted(verb, {column: wanted}), not_for)
    send = _posted(verb, {"column": column, "new_value": wanted or ""})
    return Action(verb, column, wanted, send, {"deleted": _DELETED})


def _posted(verb: str, more: Mapping[str, object] = _NO_MORE) -> Callable[[Door, Sequence[str]], Answer]:
    """A function that sends the action for some ids. The door never repeats it: the verb first reads back."""

    def send(door: Door, ids: Sequence[str]) -> Answer:
        body = {"action": verb, "ids": list(ids), **more}
        return door.post("/clients/bulk", body, params={"per_page": len(ids)}, repeatable=False)

    return send
