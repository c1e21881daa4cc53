"""Check what the role of this process may do in a Postgres database, without writing."""

from __future__ import annotations

from schemas.errors import WarehouseError
from warehouse.engine.postgres import PostgresWarehouse
from warehouse.engine.seam import Warehouse

STATE = """
select pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',
    has_database_privilege(current_database(), 'CREATE'),
    (
        select has_table_privilege(c.oid, 'INSERT') from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace where n.nspname = 'control' and c.relname = 'runs'
    )
"""

READABLE = """
select n.nspname, has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where (n.nspname, c.relname) in (('control', 'runs'), ('mart', 'clients'), ('mart_public', 'clients'))
"""


def readable_schemas(warehouse: Warehouse) -> dict[str, bool]:
    """Return whether this role may read each of our schemas: whole, not some columns. Empty before the first pull."""
    return {str(schema): bool(may) for schema, may in warehouse.rows(READABLE)}


def check_writable(warehouse: Warehouse) -> None:
    """Raises WarehouseError with the remedy if a pull could not create or write the tables."""
    ((standby, read_only, may_create, may_write),) = warehouse.rows(STATE)
    if standby:
        raise WarehouseError(f"{warehouse.shown} is read-only: it is a standby. A pull needs the primary server.")
    if read_only:
        raise WarehouseError(
            f"{warehouse.shown} is read-only: default_transaction_read_only is on for this server, database or user. "
            "Turn it off for the user that pulls: alter role USER set default_transaction_read_only = off"
        )
    if may_write is None and not may_create:
        raise WarehouseError(_may_not_create(warehouse))
    if may_write is False:
        raise WarehouseError(
            f"{warehouse.shown}: this user may only read. A pull needs the user that created the tables, or a member "
            "of that role."
        )


def check_may_create(warehouse: Warehouse) -> None:
    """Raises WarehouseError with the remedy if this user may not create schemas, as a new version does."""
    ((_, _, may_create, _),) = warehouse.rows(STATE)
    if not may_create:
        raise WarehouseError(_may_not_create(warehouse))


def _may_not_create(warehouse: Warehouse) -> str:
    remedy = "As the owner of the database: grant create on database DATABASE to USER"
    return f"{warehouse.shown}: this user may not create schemas. {remedy}"


def is_pooled(warehouse: Warehouse) -> bool:
    """Whether a connection pooler stands before Postgres: it announces another session than Postgres has."""
    ((session,),) = warehouse.rows("select pg_backend_pid()")
    return isinstance(warehouse, PostgresWarehouse) and session != warehouse.announced_session
