"""`mart_public`: a twin of each view and function of `mart`, without the columns of personal data.

A reader who may see nothing else can `select *` there, and so can its tools. A twin function reads the twin views,
because Postgres runs a function with the rights of its reader. Views with labelled custom fields have no twin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from warehouse.schema.personal import readable

MART, PUBLIC = "mart", "mart_public"
SCHEMAS = ("control", "ninja", MART, PUBLIC)
"""All schemas of a warehouse, each after those it depends on."""
_ADVICE = re.compile(r" No column is personal: join(?:\n--)? mart\.clients for names\.")
_OWN = re.compile(r"\bmart\.(?=\w)")


def public_views(made: Mapping[str, str], columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the statement of each view's twin. `made` has the statements of the views, `columns` their columns."""
    return {view: public_comment(text) + _view(view, columns[view]) for view, text in made.items()}


def public_comment(text: str) -> str:
    """Return the comment of the twin of a view that a statement makes."""
    return _public(text.partition("create view")[0])


def _view(view: str, columns: Sequence[str]) -> str:
    listed = ", ".join(f'"{column}"' for column in readable(view, list(columns)))
    return f'create view {PUBLIC}."{view}" as select {listed} from {MART}."{view}"'


def public_function(text: str) -> str:
    """Return the text of a function's twin."""
    return _public(_ADVICE.sub("", text))


def _public(text: str) -> str:
    """Return a text that names the twins."""
    return _OWN.sub(f"{PUBLIC}.", text)
