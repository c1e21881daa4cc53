"""The control tables with the history of an entity, and how its rows are found in them.

Clients have tables of their own. All other entities share three tables, in which ids repeat between entities: invoice
and client number 2 of a server have the same hashed id. So each statement names the entity, by what stands here.
"""

from __future__ import annotations

from functools import cache

from schemas.entities import CLIENTS
from schemas.entity import Entity

CLIENT_FIGURES = (
    "number", "name", "display_name", "balance", "paid_to_date", "payment_balance", "credit_balance",
    "currency_id", "group_settings_id", "country_id", "is_deleted", "archived_at",
)  # fmt: skip
RECORD_FIGURES = (
    "client_id", "number", "date", "due_date", "status_id", "amount", "balance", "paid_to_date", "applied", "refunded",
    "partial", "partial_due_date", "currency_id", "is_deleted", "archived_at",
)  # fmt: skip
"""The columns of a version beside its record. Of the shared table, an entity fills those that it has."""
NEVER = "cast(null as timestamp with time zone)"
LABELS = ("display_name", "number", "product_key", "name")


@cache
def archive_of(entity: Entity) -> dict[str, str]:
    """Return what the statements need to know of an entity's history.

    `theirs` is the condition for its rows; `kind` and `of_kind` are the column and value that an insert adds for it.
    `since` is the start of the mirror's version `m`; of an entity without versions, it is not known.
    """
    own, fields = entity is CLIENTS, {field.name for field in entity.fields}
    figures = [name for name in (CLIENT_FIGURES if own else RECORD_FIGURES) if name in fields]
    return {
        "entity": entity.name,
        "versions": "control.client_versions" if own else "control.record_versions",
        "changes": "control.client_changes" if own else "control.record_changes",
        "redirects": "control.redirects" if own else "control.vanished_records",
        "theirs": "true" if own else f"entity = '{entity.name}'",
        "kind": "" if own else "entity, ",
        "of_kind": "" if own else f"'{entity.name}', ",
        "figures": ", ".join(figures),
        "own_figures": ", ".join(f"m.{name}" for name in figures),
        "label_column": "display_name" if own else "number",
        "label": label_of(entity),
        "owner": "" if own else "client_id, ",
        "of_owner": "" if own else "e.client_id, ",
        "client": f"m.{entity.client_column}" if entity.client_column else "cast(null as varchar)",
        "since": "m.valid_from" if entity.historic else NEVER,
        "into_since": "s.valid_from" if entity.historic else NEVER,
    }


def label_of(entity: Entity) -> str:
    """Return the column by which people know a record."""
    fields = {field.name for field in entity.fields}
    return next((name for name in LABELS if name in fields), "id")


def stamp_of(child: Entity) -> str:
    """Return the column with a child's stamp; children without one are as new as their parent."""
    named = {field.name for field in child.fields}
    return "s.updated_at" if "updated_at" in named else NEVER
