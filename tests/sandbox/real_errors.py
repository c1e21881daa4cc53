"""Where the real server itself answers 500: each cause with its source. Any other 500 is the sandbox's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.around.feeds import ENTITIES
from sandbox.clients.input import LOOKUPS, TEXTS
from tests.sandbox.operations import Operation

Sent = dict[str, Any]
HELPERS = {
    "filter_deleted_clients", "with_trashed", "without_deleted_clients", "without_deleted_vendors", "split", "apply",
}  # fmt: skip
WRITES = frozenset({"storeClient", "updateClient"})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a 500 is real: on these operations, where `applies` to what was sent, in what generation, and by whom."""

    why: str
    source: str
    operations: frozenset[str]
    applies: Callable[[Sent, str, str], bool]


def _arrays(sent: Any) -> bool:
    return isinstance(sent, list | dict)


def _deep_arrays(contacts: Any) -> bool:
    rows = contacts.values() if isinstance(contacts, dict) else contacts if isinstance(contacts, list) else ()
    return any(_arrays(value) for row in rows if isinstance(row, dict) for value in row.values())


CAUSES = (
    Cause(
        "a method of the filter class that is no filter, or a filter without what it needs",
        "recorded: filter-helper-methods, filter-deleted-clients, filter-with-trashed",
        frozenset({"getClients"}),
        lambda sent, _, __: any(name.lower() in HELPERS for name in sent),
    ),
    Cause(
        "sorting by a column that does not exist",
        "recorded: list-sort; ignored since 5.12",
        frozenset({"getClients"}),
        lambda sent, generation, _: generation == "5.10" and any(name.lower() == "sort" for name in sent),
    ),
    Cause(
        "an include that does not exist, told to a browser",
        "Handler.php:244: a RelationNotFoundException is JSON for callers who want it only",
        frozenset({"getClients", "bulkClients"}),
        lambda sent, _, __: isinstance(sent.get("include"), str),
    ),
    Cause(
        "an array where a column takes a text or a number",
        "recorded: create-wrong-types",
        WRITES,
        lambda sent, _, __: any(_arrays(sent.get(name)) for name in (*TEXTS, *LOOKUPS)),
    ),
    Cause(
        "an array as a contact's text",
        "recorded: create-wrong-types; the contacts' columns are texts as well",
        WRITES,
        lambda sent, _, __: _deep_arrays(sent.get("contacts")),
    ),
    Cause(
        "a document that is no array, or a file for a client that is not there yet",
        "ClientRepository:61-65",
        WRITES,
        lambda sent, _, __: bool(sent.get("documents")),
    ),
    Cause(
        "a size or an industry that does not exist: a foreign key",
        "recorded: update-lookups, bulk-update-lookups",
        WRITES,
        lambda sent, _, __: sent.get("size_id") is not None or sent.get("industry_id") is not None,
    ),
    Cause(
        "settings that are no object",
        "recorded: create-wrong-types, update-settings-absent",
        WRITES | {"storeGroup", "updateGroup"},
        lambda sent, _, __: "settings" in sent and not _arrays(sent["settings"]),
    ),
    Cause(
        "a design that does not exist",
        "recorded: bulk-template",
        frozenset({"bulkClients"}),
        lambda sent, _, __: sent.get("action") == "template",
    ),
    Cause(
        "a size or an industry that does not exist, for many",
        "recorded: bulk-update-lookups",
        frozenset({"bulkClients"}),
        lambda sent, _, __: sent.get("column") in ("size_id", "industry_id"),
    ),
    Cause(
        "a first client that the user may not edit, and a later one that he may: a method that is not there",
        "ClientController.php:223-280",
        frozenset({"bulkClients"}),
        lambda _, __, who: who == "viewer_token",
    ),
    Cause(
        "neither yes nor no",
        "Request::toBoolean returns null where a bool is promised",
        frozenset({"uploadClient"}),
        lambda sent, _, __: sent.get("is_public") is not None,
    ),
    Cause(
        "an array as the event of a webhook, which only creating one checks",
        "UpdateWebhookRequest",
        frozenset({"updateWebhook"}),
        lambda sent, _, __: _arrays(sent.get("event_id")),
    ),
    Cause(
        "an id of something that is no entity: a table that is not there",
        "ShowActivityRequest.php",
        frozenset({"getActivitiesOfEntity"}),
        lambda sent, _, __: sent.get("entity_id") is not None and sent.get("entity") not in ENTITIES,
    ),
    Cause(
        "activities asked for by a user without rights: a column that is not there",
        "recorded: activities",
        frozenset({"getActivities"}),
        lambda _, __, who: who == "viewer_token",
    ),
)


def cause_of(operation: Operation, sent: Sent, generation: str, who: str) -> Cause | None:
    """Why the real server would answer 500 to this, or None."""
    fitting = (c for c in CAUSES if operation.name in c.operations and c.applies(sent, generation, who))
    return next(fitting, None)
