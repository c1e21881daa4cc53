"""The views and functions of `mart` and `mart_public`, created again whenever this version's SQL differs.

`control.views` notes each by its name in `mart`. Its twin in `mart_public` goes and comes with it, and the digest of a
view holds the rule that says which columns are personal.
"""

from __future__ import annotations

import hashlib
import re
from graphlib import TopologicalSorter

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named, statement
from warehouse.schema.comments import comments_of, view_columns
from warehouse.schema.functions import CALL, create_function, drop_function, texts
from warehouse.schema.labels import drop_label_views, label
from warehouse.schema.personal import readable, rule
from warehouse.schema.public import MART, PUBLIC, public_function, public_views


def views_are_current(warehouse: Warehouse) -> bool:
    """Whether every view and its twin exist, and they and every function were created from this version's SQL.

    Whether a function still exists is not asked, because DuckDB takes 10 ms to list them.
    """
    made = {str(name): str(digest) for name, digest in warehouse.rows(statement("read/views"))}
    functions = {name + CALL: _digest_of(text) for name, text in texts().items()}
    return made == {name: _digest(name) for name in named("mart")} | functions


def drop_views(warehouse: Warehouse) -> None:
    """Drop our views and functions, of this and other versions, the last one first. Those that people created stay."""
    drop_label_views(warehouse)
    made = [str(name) for (name,) in warehouse.rows("select name from control.views order by place desc")]
    ours = [*(name + CALL for name in reversed(texts())), *reversed(in_order())]
    for name in [*made, *(name for name in ours if name not in made)]:
        for schema in (PUBLIC, MART):
            if name.endswith(CALL):
                drop_function(warehouse, schema, name.removesuffix(CALL))
            else:
                warehouse.execute(f'drop view if exists {schema}."{name}"')
    warehouse.execute("delete from control.views")


def create_views(warehouse: Warehouse) -> None:
    """Create all views and functions with their twins, and note the digest of each one's SQL."""
    made = {name: statement(f"mart/{name}") for name in in_order()}
    for text in made.values():
        warehouse.execute(text)
    columns = view_columns(warehouse)
    twins = public_views(made, columns)
    warehouse.execute(";\n".join(twins.values()))  # as one text: on Postgres, each statement would be a round trip
    for text in texts().values():
        create_function(warehouse, text)
        create_function(warehouse, public_function(text))
    digests = {name: _digest(name) for name in made}
    digests |= {name + CALL: _digest_of(text) for name, text in texts().items()}
    for place, (name, digest) in enumerate(digests.items()):
        values = {"place": place, "name": name, "digest": digest}
        warehouse.execute("insert into control.views values ($place, $name, $digest)", values)
    warehouse.execute(comments_of(MART, made, columns))
    warehouse.execute(comments_of(PUBLIC, twins, {view: readable(view, columns[view]) for view in twins}))
    label(warehouse)


def in_order() -> list[str]:
    """Return the views of this version, each after the views it depends on."""
    order = TopologicalSorter({name: _dependencies(name) - {name} for name in named("mart")})
    return list(order.static_order())


def _dependencies(name: str) -> set[str]:
    """Return the views that a view reads; its comments name others too."""
    return set(re.findall(r"\bmart\.(\w+)", re.sub(r"--[^\n]*", "", statement(f"mart/{name}"))))


def _digest(name: str) -> str:
    return _digest_of(statement(f"mart/{name}") + rule())


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
