"""Every table with data of a client, and how its rows are found by the client's id."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.entities import CLIENTS, PULLED


class Trace(msgspec.Struct, frozen=True):
    """A table with data of clients, the columns with their ids, and the name of its rows in a report.

    `also` is another condition for rows of the client $id. `only` limits the rows whose columns hold ids of clients.
    """

    table: str
    columns: Sequence[str]
    words: str
    also: str = ""
    only: str = ""

    @property
    def holds(self) -> str:
        """The condition for the rows of the client $id."""
        limit = f"{self.only} and " if self.only else ""
        ways = [f"({limit}{column} = $id)" for column in self.columns]
        return "(" + " or ".join([*ways, *([self.also] if self.also else [])]) + ")"


OWNED = tuple(entity for entity in PULLED.values() if entity.client_column and entity is not CLIENTS)
"""The entities whose records belong to a client."""


def _ids_of(name: str) -> str:
    return f"select id from ninja.{name} where source = $source and client_id = $id"


_PAIRS = " union all ".join(f"select '{entity.name}', id from ({_ids_of(entity.name)}) as n" for entity in OWNED)
_VERSIONS = "select entity, id from control.record_versions where source = $source and client_id = $id"
_NAMES = ", ".join(f"'{entity.name}'" for entity in OWNED)
_OF_CLIENTS = "entity = 'clients'"

TRACES = (
    *(
        Trace(
            f"ninja.{child.name}", (), child.name.replace("_", " "),
            f"{entity.parent_column} in ({_ids_of(entity.name)})",
        )
        for entity in OWNED
        for child in entity.children
    ),
    Trace("control.record_changes", (), "changes of records", f"(entity, id) in ({_PAIRS} union all {_VERSIONS})"),
    Trace("control.quarantine", ("id",), "records in quarantine",
          f"(entity in ({_NAMES}) and (record ->> 'client_id') = $id)", _OF_CLIENTS),
    Trace("control.unlisted", ("id",), "notes that it is not listed", f"(entity, id) in ({_PAIRS})", _OF_CLIENTS),
    *(Trace(f"ninja.{entity.name}", ("client_id",), entity.name.replace("_", " ")) for entity in OWNED),
    Trace("control.record_versions", ("client_id",), "versions of records"),
    Trace("control.vanished_records", ("client_id",), "records that vanished"),
    Trace("ninja.contacts", ("client_id",), "contacts"),
    Trace("ninja.documents", ("client_id",), "documents"),
    Trace("ninja.activities", ("client_id",), "activities"),
    Trace("ninja.clients", ("id",), "client"),
    Trace("control.client_versions", ("id",), "versions"),
    Trace("control.client_changes", ("id",), "changes"),
    Trace("control.redirects", ("id",), "redirects"),
    Trace("control.outbox", ("id",), "changes in the queue"),
    Trace("control.journal_edits", ("id",), "edits"),
    Trace("control.plan_cells", ("id",), "planned changes"),
    Trace("control.outcomes", ("id",), "outcomes"),
    Trace("control.merge_steps", ("survivor_id", "mergeable_id"), "merges"),
    Trace("control.duplicate_decisions", ("id_a", "id_b"), "duplicate decisions"),
    Trace("control.duplicate_pairs", ("id_a", "id_b"), "duplicate pairs"),
    Trace("control.duplicate_clusters", ("id",), "duplicate clusters"),
    Trace("control.duplicate_forms", ("id",), "comparable forms"),
    Trace("control.duplicate_scores", ("id_a", "id_b"), "scores of pairs"),
    Trace("control.chosen_survivors", ("id",), "chosen survivors"),
)  # fmt: skip
"""Every table with data of a client, children before their parents. A test compares the list with a warehouse."""
