"""The SQL files below `warehouse/sql`. Each statement begins with a comment that states its promise.

    sql/control/NNNN_name.sql   the numbered migrations of the schema `control`, one a file
    sql/mart/*.sql              one view a file, named like the view
    sql/as_of/*.sql             one function of a day a file, named like the function
    sql/<subject>.sql           named statements: `-- :name accepted` stands above each

`statement("load/accepted")` is the statement `accepted` of `sql/load.sql`. The same text runs on DuckDB and Postgres:
parameters are written `$name`. Placeholders such as `{entity}` stand for names from the closed list in
`schemas.entities`, never for data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1] / "sql"
FOLDERS = ("control", "mart", "as_of")
_NAME = re.compile(r"^-- :name (\w+)\n", re.MULTILINE)


@cache
def statement(name: str) -> str:
    """Return the text of the statement `subject/name`. Raises KeyError or FileNotFoundError if there is none."""
    subject, _, short = name.partition("/")
    return read_text(f"{name}.sql") if subject in FOLDERS else statements_of(subject)[short]


def statements_of(subject: str) -> Mapping[str, str]:
    """Return the named statements of `sql/<subject>.sql`, in the order of the file."""
    _, *parts = _NAME.split(read_text(f"{subject}.sql"))
    return {name: text.strip() + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)}


def promise_of(sql: str) -> str:
    """Return the promise of a statement, for messages: its first comment, or its first words."""
    return sql.strip().split("\n", 1)[0].removeprefix("--").strip()[:100]


def description_of(sql: str) -> str:
    """Return the whole comment above a statement, as one line."""
    lines = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)


def quoted(text: object) -> str:
    """Return a text or path as a literal of SQL, where a statement takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"


@cache
def named(folder: str) -> list[str]:
    """Return the names of the files in a folder, in alphabetical order."""
    return sorted(path.stem for path in (ROOT / folder).glob("*.sql"))


def read_text(file: str) -> str:
    """Return the text of a file below `sql`."""
    return (ROOT / file).read_text(encoding="utf-8")
