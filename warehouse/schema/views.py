"""The views of `mart`, created again whenever this version's SQL differs from the warehouse's."""

from __future__ import annotations

import hashlib
import re
from graphlib import TopologicalSorter

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named, statement
from warehouse.schema.comments import comment_on_views
from warehouse.schema.labels import drop_label_views, label


def views_are_current(warehouse: Warehouse) -> bool:
    """Whether every view exists and was created from this version's SQL."""
    made = {str(name): str(digest) for name, digest in warehouse.rows(statement("read/views"))}
    return made == {name: _digest(name) for name in named("mart")}


def drop_views(warehouse: Warehouse) -> None:
    """Drop our views, of this and other versions, the last one first. Views that people created stay."""
    drop_label_views(warehouse)
    made = [str(name) for (name,) in warehouse.rows("select name from control.views order by place desc")]
    for name in [*made, *(name for name in reversed(in_order()) if name not in made)]:
        warehouse.execute(f'drop view if exists mart."{name}"')
    warehouse.execute("delete from control.views")


def create_views(warehouse: Warehouse) -> None:
    """Create all views, and note the digest of each one's SQL."""
    made = {name: statement(f"mart/{name}") for name in in_order()}
    for place, (name, text) in enumerate(made.items()):
        warehouse.execute(text)
        values = {"place": place, "name": name, "digest": _digest(name)}
        warehouse.execute("insert into control.views values ($place, $name, $digest)", values)
    comment_on_views(warehouse, made)
    label(warehouse)


def in_order() -> list[str]:
    """Return the views of this version, each after the views it depends on."""
    order = TopologicalSorter({name: _dependencies(name) - {name} for name in named("mart")})
    return list(order.static_order())


def _dependencies(name: str) -> set[str]:
    return set(re.findall(r"\bmart\.(\w+)", statement(f"mart/{name}")))


def _digest(name: str) -> str:
    return hashlib.sha256(statement(f"mart/{name}").encode()).hexdigest()
