"""The views for people as SQLAlchemy Core tables, with keys and references: for queries with joins, and for the ORM.

Import this module only where the tables are asked for: SQLAlchemy takes a third of a second to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import description_of, statement
from warehouse.schema.comments import of_view
from warehouse.schema.labels import view_below
from warehouse.schema.public import MART, PUBLIC, public_comment
from warehouse.schema.tables import mirror

BY_ID, BY_CLIENT = ("source", "id"), ("source", "client_id")
OF_VERSION: Final = ("source", "id", "run_id")
OF_CHANGE: Final = ("source", "id", "field", "run_id")
KEYS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            "clients", "contacts", "client_balances", "client_activities", "client_redirects", "duplicate_candidates",
            "unlisted_clients", "invoices", "invoice_items", "payments", "payment_applications", "credits",
        ),
        BY_ID,
    ),
    **dict.fromkeys(("aging", "aging_by_invoice_date", "days_to_pay_by_client"), BY_CLIENT),
    "balances_by_assigned_user": ("source", "assigned_user_id", "currency_code"),
    "balances_by_country": ("source", "country", "currency_code"),
    "balances_by_currency": ("source", "currency_code"),
    "balances_by_group": ("source", "group_name", "currency_code"),
    "balances_by_industry": ("source", "industry", "currency_code"),
    "balances_in_company_currency": ("source", "currency_code"),
    "client_balance_daily": (*BY_ID, "day"),
    "client_changes": OF_CHANGE,
    "client_history": OF_VERSION,
    "clients_by_month": ("source", "month"),
    "companies": ("source",),
    "data_quality": (*BY_ID, "finding"),
    "days_to_pay": ("source", "invoice_id"),
    "document_changes": ("document_kind", *OF_CHANGE),
    "document_history": ("document_kind", *OF_VERSION),
    "entity_status": ("source", "entity"),
    "exchange_rates": ("source", "currency_code", "company_currency", "day"),
    "load_status": ("source",),
    "open_items": ("source", "invoice_id", "part"),
    "reconciliation": (*BY_CLIENT, "figure"),
    "revenue_by_month": ("source", "month", "currency_code", "country"),
    "unlisted_documents": ("document_kind", *BY_ID),
}  # fmt: skip
"""The columns that identify a row of a view. Of views with sums they may be NULL, such as an unknown country."""
OWNERS: Final = ("client", "invoice", "payment", "credit")
"""Records that other views point to: the column client_id to the view clients."""
TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    **dict.fromkeys(("varchar", "character varying", "text"), sa.String()),
    **dict.fromkeys(("bigint", "integer", "hugeint"), sa.BigInteger()),
    **dict.fromkeys(("double", "double precision"), sa.Double()),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "json": sa.JSON(),
    "timestamp with time zone": sa.TIMESTAMP(timezone=True),
}


def tables_of(warehouse: Warehouse) -> sa.MetaData:
    """Return the tables of the mirror, and the views of `mart` and `mart_public` that the reader may see.

    Views with a company's own labels are among them. The database says which columns and types a view has.
    """
    metadata = mirror()
    for schema, view, columns in _views(warehouse):
        words, key = of_view(view, [name for name, _ in columns]), KEYS[view_below(view)]
        table = sa.Table(view, metadata, schema=schema, comment=_comment(schema, view))
        for name, kind in columns:
            column = sa.Column(
                name, kind, primary_key=name in key, autoincrement=False, nullable=name not in key,
                comment=words[name] or None,
            )  # fmt: skip
            table.append_column(column)
    for table in list(metadata.tables.values()):
        if table.schema in (MART, PUBLIC):
            _refer(metadata, table)
    return metadata


def _views(warehouse: Warehouse) -> Iterator[tuple[str, str, list[tuple[str, sa.types.TypeEngine[Any]]]]]:
    """Yield schema and name of each view of ours, with its columns and their types."""
    found: dict[tuple[str, str], list[tuple[str, sa.types.TypeEngine[Any]]]] = {}
    for schema, view, column, kind, digits, places in warehouse.rows(
        "select table_schema, table_name, column_name, data_type, numeric_precision, numeric_scale "
        "from information_schema.columns where table_catalog = current_database() "
        f"and table_schema in ('{MART}', '{PUBLIC}') order by table_schema, table_name, ordinal_position"
    ):
        if view_below(str(view)) in KEYS:
            found.setdefault((str(schema), str(view)), []).append((str(column), _type(str(kind), digits, places)))
    for (schema, view), columns in found.items():
        if {name for name, _ in columns}.issuperset(KEYS[view_below(view)]):  # else a person's own, such as clients_top
            yield schema, view, columns


def _comment(schema: str, view: str) -> str | None:
    if view not in KEYS:
        return None
    text = statement(f"mart/{view}")
    return description_of(text if schema == MART else public_comment(text))


def _type(kind: str, digits: object, places: object) -> sa.types.TypeEngine[Any]:
    name = kind.lower().partition("(")[0]
    if name not in ("decimal", "numeric"):
        return TYPES.get(name, sa.types.NullType())
    return sa.Numeric(digits, places) if isinstance(digits, int) and isinstance(places, int) else sa.Numeric()


def _refer(metadata: sa.MetaData, table: sa.Table) -> None:
    """Have each column with an id refer to the view of that record."""
    for owner in OWNERS:
        column, whole = f"{owner}_id", f"{table.schema}.{owner}s"
        if column in table.columns and whole in metadata.tables:
            theirs = [f"{whole}.source", f"{whole}.id"]
            table.append_constraint(sa.ForeignKeyConstraint(["source", column], theirs))
