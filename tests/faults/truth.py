"""What the warehouse must hold, told once more from the server's own JSON; and what it does hold, all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from schemas.entities import CLIENTS, CONTACTS, DOCUMENTS
from schemas.entity import Entity, Kind
from schemas.scrub import searched
from schemas.values import NOBODY
from warehouse.engine.place import Place, is_there
from warehouse.opened.open import open_place

Row = dict[str, object]
TABLES = {"clients": CLIENTS, "contacts": CONTACTS, "documents": DOCUMENTS}


@dataclass(frozen=True)
class Records:
    """Clients, contacts and documents by id: every column of each."""

    clients: dict[str, Row] = field(default_factory=dict)
    contacts: dict[str, Row] = field(default_factory=dict)
    documents: dict[str, Row] = field(default_factory=dict)

    def of(self, client: str) -> tuple[object, ...]:
        """All that belongs to one client."""
        return self.clients.get(client), *(
            {key: row for key, row in rows.items() if row["client_id"] == client}
            for rows in (self.contacts, self.documents)
        )

    def only(self, clients: Iterable[str]) -> Records:
        """The records of these clients alone."""
        keys = set(clients)
        rest = [{k: r for k, r in rows.items() if r["client_id"] in keys} for rows in (self.contacts, self.documents)]
        return Records({key: self.clients[key] for key in keys}, *rest)


def as_stored(kind: Kind, value: object) -> object:
    """A value of the server as a column should hold it."""
    match kind:
        case Kind.MONEY:
            return Decimal(str(value)).quantize(Decimal("0.000001"))
        case Kind.TIME:
            return datetime.fromtimestamp(value, UTC) if value else None
        case Kind.MAIL:
            return value.strip() or None
        case Kind.JSON:
            return searched(value or {})
        case Kind.SETTING:
            return None if value in ("", None) else str(value)
    return None if value == "" or (kind is Kind.LINK and value == NOBODY) else value


def row_of(entity: Entity, record: Mapping[str, object]) -> Row:
    row = {}
    for one in entity.fields:
        holder = record.get(one.inside) or {} if one.inside else record
        row[one.name] = as_stored(one.kind, holder.get(one.json_key, "" if one.inside else None))
    return row


def promised(clients: Iterable[Mapping[str, object]]) -> Records:
    """The rows for records of the server, as it sends them to anybody who asks."""
    found = Records()
    for client in clients:
        found.clients[client["id"]] = row_of(CLIENTS, client)
        for name in ("contacts", "documents"):
            for child in client[name]:
                getattr(found, name)[child["id"]] = {"client_id": client["id"], **row_of(TABLES[name], child)}
    return found


def mirrored(place: Place, source: str = "main") -> Records:
    """The rows of a source as they stand in the warehouse. An id that stands there twice fails."""
    found = Records()
    if not is_there(place):
        return found
    with open_place(place, read_only=True) as warehouse:
        for name, entity in TABLES.items():
            columns = [f.name for f in entity.fields] + ([] if entity is CLIENTS else ["client_id"])
            rows = warehouse.rows(f"select {', '.join(columns)} from ninja.{name} where source = '{source}'")
            for values in rows:
                row = dict(zip(columns, values, strict=True))
                for one in entity.fields:
                    if one.kind is Kind.JSON and row[one.name] is not None:
                        row[one.name] = json.loads(row[one.name], parse_float=Decimal)
                assert row["id"] not in getattr(found, name), f"{name} {row['id']} stands there twice"
                getattr(found, name)[row["id"]] = row
    return found


def everything(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the mirror and of `control`; nothing where there is no warehouse."""
    if not is_there(place):
        return {}
    with open_place(place, read_only=True) as warehouse:
        tables = warehouse.rows(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_schema in ('ninja', 'control')"
        )
        return {str(table): sorted(warehouse.rows(f"select * from {table}"), key=repr) for (table,) in tables}
