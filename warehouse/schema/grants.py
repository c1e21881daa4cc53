"""Rights on Postgres: roles that read the views of `mart`, with or without personal data, and roles that queue changes.

Who queues changes sees and withdraws their own ones, by two views of the outbox.

Views are read with the rights of their owner, so no role needs any on the tables below them. Rights are noted, because
an upgrade makes the views anew, and new views belong to nobody but their owner.
"""

from __future__ import annotations

import re
from datetime import datetime

from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import named, statement
from warehouse.schema.personal import readable

ANALYST, ANALYST_WITH_PERSONAL_DATA, WRITER = "analyst", "analyst with personal data", "writer"
WISH = "source, id, field, value, reason"
"""What a writer may give of a wish; the rest is the warehouse's."""
ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}")
NOT_ONES = ("postgres", "public", "none", "current_user", "session_user", "current_role")


def grant(warehouse: Warehouse, role: str, kind: str, *, now: datetime) -> list[str]:
    """Give a role the rights of one kind, in place of those that it had; returns the views that it may read.

    The role is made, without a login, where it is not there. Raises SettingsError where that is not possible.
    """
    if warehouse.engine != POSTGRES:
        raise SettingsError(
            "A DuckDB file has no roles: give readers the published copy, `ninja-sync publish --without-personal-data`."
        )
    if not ROLE.fullmatch(role) or role.lower() in NOT_ONES or role.lower().startswith("pg_"):
        raise SettingsError(f"{role!r} is no name for a role: letters, digits, _ and -, 63 at most.")
    with warehouse.transaction():
        _make(warehouse, role)
        warehouse.execute("delete from control.grants where role = $role", {"role": role})
        values = {"role": role, "kind": kind, "now": now}
        warehouse.execute("insert into control.grants (role, kind, granted_at) values ($role, $kind, $now)", values)
        return _apply(warehouse, role, kind)


def revoke(warehouse: Warehouse, role: str) -> None:
    """Take all rights on the warehouse away from a role; the role itself stays."""
    with warehouse.transaction():
        if not warehouse.rows("select 1 from control.grants where role = $role", {"role": role}):
            raise SettingsError(f"The role {role!r} has no rights here that Ninja Sync has given.")
        warehouse.execute("delete from control.grants where role = $role", {"role": role})
        _take_all(warehouse, role)


def grant_again(warehouse: Warehouse) -> None:
    """Give all roles their rights on views that were made anew. One whose role is gone is forgotten."""
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
            f"There is no role {role!r}, and this user may not make one. As an administrator: create role {role}"
        ) from None


def _apply(warehouse: Warehouse, role: str, kind: str) -> list[str]:
    _take_all(warehouse, role)
    if kind == WRITER:
        warehouse.execute(f'grant usage on schema control to "{role}"')
        warehouse.execute(f'grant insert ({WISH}) on control.outbox to "{role}"')
        warehouse.execute(statement("grants/my_changes"))
        warehouse.execute(f'grant select on control.my_changes to "{role}"')
        warehouse.execute(statement("grants/my_waiting_changes"))
        warehouse.execute(f'grant select, delete on control.my_waiting_changes to "{role}"')
        return []
    warehouse.execute(f'grant usage on schema mart to "{role}"')
    views = _columns(warehouse)
    for view in views:
        listed = ", ".join(f'"{column}"' for column in _readable(views, view))
        if kind == ANALYST_WITH_PERSONAL_DATA:
            warehouse.execute(f'grant select on mart."{view}" to "{role}"')
        elif listed:
            warehouse.execute(f'grant select ({listed}) on mart."{view}" to "{role}"')
    return list(views)


def _take_all(warehouse: Warehouse, role: str) -> None:
    for schema in ("mart", "ninja", "control"):
        warehouse.execute(f'revoke all on all tables in schema {schema} from "{role}"')
        warehouse.execute(f'revoke all on schema {schema} from "{role}"')
    for view, columns in _columns(warehouse).items():
        listed = ", ".join(_quoted(column) for column in columns)
        warehouse.execute(f'revoke all ({listed}) on mart."{view}" from "{role}"')
    warehouse.execute(f'revoke all ({WISH}) on control.outbox from "{role}"')


def _columns(warehouse: Warehouse) -> dict[str, list[str]]:
    """The views that we made, each with its columns in order."""
    found: dict[str, list[str]] = {}
    for view, column in warehouse.rows(
        "select c.table_name, c.column_name from information_schema.columns as c "
        "join (select name from control.views union all select name from control.label_views) as v "
        "on v.name = c.table_name where c.table_schema = 'mart' order by c.table_name, c.ordinal_position"
    ):
        found.setdefault(str(view), []).append(str(column))
    return found


def _readable(views: dict[str, list[str]], view: str) -> list[str]:
    """The columns of a view, or of one that names custom fields, without personal data."""
    below = view if view in named("mart") else view.partition("_")[0]
    return readable(below, views[view], views[below])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
