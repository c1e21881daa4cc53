"""SQL that people wrote: one statement a file below `warehouse/sql`, its first line a comment with its promise.

    sql/control/NNNN_name.sql   the numbered migrations of the schema `control`
    sql/load/*.sql              the steps of a load
    sql/vanished/*.sql          what is asked and noted of clients that the server no longer lists
    sql/rebuild/*.sql           the steps of a rebuild of the mirror
    sql/journal/*.sql           the steps of noting calls that write
    sql/plans/*.sql             the steps of storing and applying plans
    sql/merges/*.sql            the same of plans of merges
    sql/approvals/*.sql         what is asked and noted of approvals of plans
    sql/dedupe/*.sql            what is read and kept of duplicates
    sql/grants/*.sql            views for the roles that queue changes, on Postgres
    sql/turns/*.sql             the steps of taking turns at a host
    sql/mart/*.sql              one view a file, named like the view
    sql/read/*.sql              what the commands ask

The same text runs on DuckDB and Postgres: parameters are written `$name`. `{entity}` and the like stand for names from
the closed list in `schemas.entities`, never for data.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1] / "sql"


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (ROOT / f"{name}.sql").read_text(encoding="utf-8")


def named(folder: str) -> list[str]:
    """The names of all statements of a folder, in alphabetical order."""
    return sorted(path.stem for path in (ROOT / folder).glob("*.sql"))
