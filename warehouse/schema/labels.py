"""Views with the custom fields named by each company's labels: mart."clients_SOURCE" and others.

`custom_fields` of a company is {"client1": "label|type", ...} (CompanyTransformer). A label is a person's text, so it
becomes an identifier with care: quoted, cut to Postgres' 63 bytes, and numbered if the name is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import named
from warehouse.schema.comments import view_columns

FIELDS, MOST_BYTES = 4, 63
VIEWS = {"clients": "client", "contacts": "contact", "invoices": "invoice", "credits": "invoice", "payments": "payment"}
"""The views with custom columns, each with the word for one record in its labels: credits have an invoice's."""


def drop_label_views(warehouse: Warehouse) -> None:
    """Drop all views with labelled custom fields: they depend on views that are to be created again."""
    for (name,) in warehouse.rows("select name from control.label_views"):
        warehouse.execute(f'drop view if exists mart."{name}"')
    warehouse.execute("delete from control.label_views")


def label(warehouse: Warehouse) -> bool:
    """Create the views of all sources again if any label has changed; return whether one has."""
    made = {str(name): str(digest) for name, digest in warehouse.rows("select name, digest from control.label_views")}
    wanted = _wanted(warehouse)
    if {name: _digest(text) for name, text in wanted.items()} == made:
        return False
    drop_label_views(warehouse)
    for name, text in wanted.items():
        warehouse.execute(text)
        values = {"name": name, "digest": _digest(text)}
        warehouse.execute("insert into control.label_views (name, digest) values ($name, $digest)", values)
    return True


def view_below(view: str) -> str:
    """Return the view that one with a company's labels reads: clients for clients_main. Any other is its own."""
    return view if view in named("mart") else view.partition("_")[0]


def named_columns(columns: list[str], labels: Mapping[str, object], word: str) -> list[tuple[str, str]]:
    """Return each column with its name in a view: its own, or the label of a custom field. No name repeats."""
    taken = {column.lower() for column in columns}
    pairs = []
    for column in columns:
        number = column.removeprefix("custom_value") if column.startswith("custom_value") else ""
        text = str(labels.get(f"{word}{number}") or "").partition("|")[0] if number else ""
        name = _identifier(text) or column
        if name != column and name.lower() in taken:
            name = _identifier(text, f" ({number})")
        taken.add(name.lower())
        pairs.append((column, name))
    return pairs


def _wanted(warehouse: Warehouse) -> dict[str, str]:
    """Return the SQL of all such views; a source without a label has none."""
    texts: dict[str, str] = {}
    sources = "select source, cast(custom_fields as varchar) from ninja.companies where custom_fields is not null"
    labelled = warehouse.rows(f"{sources} order by source")
    there, ours = (view_columns(warehouse), set(named("mart"))) if labelled else ({}, set[str]())
    for source, fields in labelled:
        labels = msgspec.json.decode(str(fields))
        for view, word in VIEWS.items():
            names = named_columns(there[view], labels if isinstance(labels, dict) else {}, word)
            if any(column != name for column, name in names):
                listed = ", ".join(f'"{column}" as {_quoted(name)}' for column, name in names)
                name = f"{view}_{source}" + "_labelled" * (f"{view}_{source}" in ours)  # as `clients_by_month` is
                texts[name] = (
                    f"create view mart.\"{name}\" as select {listed} from mart.{view} where source = '{source}'"
                )
    return texts


def _identifier(text: str, ending: str = "") -> str:
    """Return a text as the name of a column; '' if no printable letter is left."""
    kept = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    while len((kept + ending).encode()) > MOST_BYTES:
        kept = kept[:-1]
    return kept.strip() + ending if kept.strip() else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
