"""Rights on Postgres: roles that read `mart_public`, roles that also read `mart`, and roles that queue changes.

Two views of the outbox show a role its own queued changes and let it withdraw them.

Postgres reads views with the rights of their owner, so a role needs no rights on the tables below. The warehouse notes
the rights, because an upgrade creates the views again, and new views have no rights for other roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import statement
from warehouse.schema.functions import texts
from warehouse.schema.labels import view_below
from warehouse.schema.personal import readable
from warehouse.schema.public import MART, PUBLIC, SCHEMAS

ANALYST, ANALYST_WITH_PERSONAL_DATA, WRITER = "analyst without personal data", "analyst with personal data", "writer"
ANALYST_OF_COLUMNS = "analyst"
"""The kind of a role that was granted before there was `mart_public`: it keeps its columns of `mart`, so that its
queries go on working."""
QUEUED = "source, id, field, value, reason"
"""The columns of a queued change that a writer may set; the warehouse fills the rest."""
ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}")
NOT_ONES = ("postgres", "public", "none", "current_user", "session_user", "current_role")


def grant(warehouse: Warehouse, role: str, kind: str, *, now: datetime) -> list[str]:
    """Give a role the rights of one kind, in place of its earlier rights; return the schemas that it may read.

    A missing role is created, without a login. Raises SettingsError if it cannot be created, and on DuckDB.
    """
    if warehouse.engine != POSTGRES:
        raise SettingsError(
            "A DuckDB file has no roles: give readers the published copy, `ninja-sync publish --without-personal-data`."
        )
    if not ROLE.fullmatch(role) or role.lower() in NOT_ONES or role.lower().startswith("pg_"):
        raise SettingsError(f"{role!r} cannot name a role: use letters, digits, _ and -, 63 at most.")
    with warehouse.transaction():
        _make(warehouse, role)
        warehouse.execute("delete from control.grants where role = $role", {"role": role})
        values = {"role": role, "kind": kind, "now": now}
        warehouse.execute("insert into control.grants (role, kind, granted_at) values ($role, $kind, $now)", values)
        return _apply(warehouse, role, kind)


def revoke(warehouse: Warehouse, role: str) -> None:
    """Take all rights on the warehouse from a role; the role stays. Raises SettingsError if it has none."""
    with warehouse.transaction():
        if not warehouse.rows("select 1 from control.grants where role = $role", {"role": role}):
            raise SettingsError(f"Ninja Sync has given the role {role!r} no rights here.")
        warehouse.execute("delete from control.grants where role = $role", {"role": role})
        _take_all(warehouse, role)


def grant_again(warehouse: Warehouse) -> None:
    """Give all roles their rights on new views. Rights of roles that no longer exist are forgotten."""
    for role, kind in warehouse.rows("select role, kind from control.grants order by role"):
        if warehouse.rows("select 1 from pg_roles where rolname = $role", {"role": role}):
            _apply(warehouse, str(role), str(kind))
        else:
            warehouse.execute("delete from control.grants where role = $role", {"role": role})


def _make(warehouse: Warehouse, role: str) -> None:
    if warehouse.rows("select 1 from pg_roles where rolname = $role", {"role": role}):
        return
    try:
        warehouse.execute(f'create role "{role}" nologin')
    except WarehouseError:
        raise SettingsError(
            f"There is no role {role!r}, and this user may not create it. As an administrator: create role {role}"
        ) from None


def _apply(warehouse: Warehouse, role: str, kind: str) -> list[str]:
    _take_all(warehouse, role)
    if kind == WRITER:
        warehouse.execute(f'grant usage on schema control to "{role}"')
        warehouse.execute(f'grant insert ({QUEUED}) on control.outbox to "{role}"')
        warehouse.execute(statement("grants/my_changes"))
        warehouse.execute(f'grant select on control.my_changes to "{role}"')
        warehouse.execute(statement("grants/my_waiting_changes"))
        warehouse.execute(f'grant select, delete on control.my_waiting_changes to "{role}"')
        return []
    if kind == ANALYST:
        _let_read_public(warehouse, role)
        return [PUBLIC]
    _let_read_mart(warehouse, role, whole=kind == ANALYST_WITH_PERSONAL_DATA)
    _let_read_public(warehouse, role)
    return [MART, PUBLIC]


def _let_read_public(warehouse: Warehouse, role: str) -> None:
    warehouse.execute(f'grant usage on schema {PUBLIC} to "{role}"')
    _let_select(warehouse, role, PUBLIC, _columns(warehouse, PUBLIC))
    _let_call(warehouse, role, PUBLIC)


def _let_read_mart(warehouse: Warehouse, role: str, *, whole: bool) -> None:
    """Let a role read the views of `mart`: the `whole` views, or only their columns without personal data."""
    warehouse.execute(f'grant usage on schema {MART} to "{role}"')
    views = _columns(warehouse, MART)
    if whole:
        _let_select(warehouse, role, MART, views)
    else:
        readable_columns = {view: ", ".join(f'"{column}"' for column in _readable(views, view)) for view in views}
        grants = [f'grant select ({of}) on {MART}."{view}" to "{role}"' for view, of in readable_columns.items() if of]
        warehouse.execute(";\n".join(grants))  # as one text: each statement would be a round trip
    _let_call(warehouse, role, MART)


def _let_select(warehouse: Warehouse, role: str, schema: str, views: Iterable[str]) -> None:
    listed = ", ".join(f'{schema}."{view}"' for view in views)
    warehouse.execute(f'grant select on {listed} to "{role}"')


def _let_call(warehouse: Warehouse, role: str, schema: str) -> None:
    listed = ", ".join(f'{schema}."{name}"(date)' for name in texts())
    warehouse.execute(f'grant execute on function {listed} to "{role}"')  # with the rights of the role they read


def _take_all(warehouse: Warehouse, role: str) -> None:
    for schema in SCHEMAS:
        warehouse.execute(f'revoke all on all tables in schema {schema} from "{role}"')
        warehouse.execute(f'revoke all on all functions in schema {schema} from "{role}"')
        warehouse.execute(f'revoke all on schema {schema} from "{role}"')
    warehouse.execute(f'revoke all ({QUEUED}) on control.outbox from "{role}"')


def _columns(warehouse: Warehouse, schema: str) -> dict[str, list[str]]:
    """Return our views in a schema, each with its columns in order."""
    views: dict[str, list[str]] = {}
    for view, column in warehouse.rows(
        "select c.table_name, c.column_name from information_schema.columns as c "
        "join (select name from control.views union all select name from control.label_views) as v "
        "on v.name = c.table_name where c.table_schema = $schema order by c.table_name, c.ordinal_position",
        {"schema": schema},
    ):
        views.setdefault(str(view), []).append(str(column))
    return views


def _readable(views: dict[str, list[str]], view: str) -> list[str]:
    """Return the columns without personal data of a view, which may be one with labelled custom fields."""
    below = view_below(view)
    return readable(below, views[view], views[below])
