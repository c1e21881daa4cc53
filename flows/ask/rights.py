"""What the role of this process may read: everything, or only the views for people.

On Postgres, `ninja-sync grant` lets a role read `mart_public`, or `mart` too. On DuckDB, everybody reads everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement
from warehouse.schema.public import MART, PUBLIC

_CLIENTS = "select *, status = 'deleted' as is_deleted from {mart}.clients"


@dataclass(frozen=True, slots=True)
class Sight:
    """The schema of the views that a role may read, and whether it may also read the tables below them."""

    views: str
    everything: bool

    @property
    def names(self) -> bool:
        """Whether the role may see names and other personal data."""
        return self.views == MART

    def statement(self, name: str) -> str:
        """Return a named statement that reads the views of this role. A name that it may not see is NULL there."""
        own = statement("today/clients") if self.everything else _CLIENTS.format(mart=self.views)
        return statement(name).format(
            mart=self.views,
            clients=f"({own})",
            versions="control.client_versions" if self.everything else f"{self.views}.client_history",
            name="n.display_name as name" if self.names else "null as name",
        )


EVERYTHING = Sight(MART, everything=True)


def sight_of(warehouse: Warehouse) -> Sight | None:
    """Return what the role of an open warehouse may read; None if nothing was pulled into it yet.

    Raises WarehouseError if the role may read nothing of it.
    """
    if warehouse.engine != POSTGRES:
        has_views = "select 1 from information_schema.tables where table_schema = 'control' and table_name = 'runs'"
        return EVERYTHING if warehouse.rows(has_views) else None
    from warehouse.engine.postgres_rights import readable_schemas  # noqa: PLC0415 - not for DuckDB

    readable = readable_schemas(warehouse)
    if not readable:
        return None
    if readable["control"]:
        return EVERYTHING
    for schema in (MART, PUBLIC):
        if readable[schema]:
            return Sight(schema, everything=False)
    raise WarehouseError(
        f"{warehouse.shown}: this role may read nothing here. `ninja-sync grant --role ROLE`, by the role that pulls, "
        "lets it read."
    )


def check_sees_all(warehouse: Warehouse, needs: str) -> None:
    """Raise SettingsError if the role may read the views only; `needs` begins the message: "Corrections need"."""
    sight = sight_of(warehouse)
    if sight is None:
        raise SettingsError("Nothing has been pulled yet. The first pull reads all clients.")
    if not sight.everything:
        raise SettingsError(
            f"{needs} the tables `control` and `ninja`, and this role may read only the views of `{sight.views}`. The "
            "role that pulls sees all of it."
        )
