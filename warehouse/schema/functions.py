"""The functions of `mart` that take a day: table macros on DuckDB, SQL functions on Postgres, from one text each.

A function runs with the rights of its reader, and reads only columns of `mart` without personal data. So it has a twin
in `mart_public`, which reads the views there: see warehouse.schema.public.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from warehouse.engine.seam import POSTGRES, Warehouse
from warehouse.engine.sql import description_of, named, quoted, statement

FOLDER = "as_of"
CALL = "()"
"""The end of a function's name in `control.views`, where it stands beside the views. No view is named like that."""
_TEXT = re.compile(r"create function (\w+\.\w+)\((\w+) date\) returns table \((.*?)\n\) as\n(.*)", re.DOTALL)


def texts() -> dict[str, str]:
    """Return the text of each function by its name, a function after those it calls."""
    made = {name: statement(f"{FOLDER}/{name}") for name in named(FOLDER)}
    return {name: made[name] for name in sorted(made, key=lambda name: (len(_called(made[name], made)), name))}


def create_function(warehouse: Warehouse, text: str) -> None:
    """Create a function, with its comment in the database."""
    if warehouse.engine == POSTGRES:
        name, day, columns, body = _parts(text)
        kind = f"function {name}(date)"
        head = f"create function {name}({day} date) returns table ({columns}) language sql stable"
        warehouse.execute(f"{head} as $body${body}$body$")
        warehouse.execute(f"revoke all on {kind} from public")
        warehouse.execute(f"comment on {kind} is {quoted(description_of(text))}")
    else:
        for part in macro(text):
            warehouse.execute(part)


def macro(text: str) -> tuple[str, str]:
    """Return the statements that create a function on DuckDB, with its comment."""
    name, day, _, body = _parts(text)
    return (
        f"create macro {name}({day}) as table {body}",
        f"comment on macro table {name} is {quoted(description_of(text))}",
    )


def drop_function(warehouse: Warehouse, schema: str, name: str) -> None:
    """Drop a function of a schema if it is there."""
    if warehouse.engine == POSTGRES:
        warehouse.execute(f'drop function if exists {schema}."{name}"(date)')
    else:
        warehouse.execute(f'drop macro table if exists {schema}."{name}"')


def columns_of(text: str) -> dict[str, str]:
    """Return the columns of a function's rows with their types, in order."""
    _, _, columns, _ = _parts(text)
    return dict(_columns(columns))


def _columns(columns: str) -> Iterator[tuple[str, str]]:
    for column in re.split(r",\s*(?=[a-z_0-9]+ [a-z])", columns.strip()):
        name, _, kind = column.partition(" ")
        yield name, kind


def _parts(text: str) -> tuple[str, str, str, str]:
    found = _TEXT.search(text)
    if found is None:
        raise RuntimeError("A function's text must begin: create function SCHEMA.NAME(DAY date) returns table (...")
    name, day, columns, body = found.groups()
    return name, day, columns, body


def _called(text: str, names: Mapping[str, str]) -> set[str]:
    """Return the other functions that a text calls, and those that they call."""
    own = set(re.findall(r"\bmart\.(\w+)\(as_of_day\)", text)) & set(names)
    return own.union(*(_called(names[name], names) for name in own))
