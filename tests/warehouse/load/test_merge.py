"""A load by each of its roads: appended to nothing, compared with the mirror, and not a row moved."""

from __future__ import annotations

import pytest

from tests.records import NOW, client, contact

ODD = "a \\ backslash, \"quotes\", a\ttab, \u00fc \u2028 \U0001f600, '', ,\r\n\\."
PAGES = [
    [
        client("a", balance=1, contacts=[contact("k", updated_at=NOW - 9), contact("l"), contact("l")]),
        client("b", private_notes=ODD),
        client("c", balance=3, updated_at=NOW - 5),
    ],
    [
        client("c", balance=4, updated_at=NOW - 1, contacts=[contact("m"), contact("k", updated_at=NOW - 8)]),
        client("d", contacts=[], documents=[], updated_at=0),
        client("b", private_notes=ODD, updated_at=NOW - 2000),
    ],
]
"""A contact that two clients list, one that a client lists twice, and clients in two versions."""


def mirrored(warehouse, source, table):
    """The rows of a table of one source, without what the source and the run give them."""
    names, rows = warehouse.answer(f"select * from ninja.{table} where source = '{source}' order by id")
    return [{k: v for k, v in zip(names, row, strict=True) if k != "source" and "run_id" not in k} for row in rows]


def test_a_first_load_stores_the_rows_that_a_later_one_would(warehouse, load_records):
    first = load_records(*PAGES, source="first").run
    load_records([], source="second")
    second = load_records(*PAGES, source="second").run
    assert (first.inserted, second.inserted) == (4, 4)
    for table in ("clients", "contacts", "documents"):
        assert mirrored(warehouse, "first", table) == mirrored(warehouse, "second", table)
    assert [(row["id"], row["client_id"]) for row in mirrored(warehouse, "first", "contacts")] == [
        ("cb", "b"),
        ("k", "c"),
        ("l", "a"),
        ("m", "c"),
    ]


def test_the_same_pages_again_store_nothing(warehouse, load_records):
    load_records(PAGES[1])
    before = mirrored(warehouse, "main", "clients"), warehouse.rows("select run_id from ninja.contacts")
    again = load_records(PAGES[1], kind="full").run
    assert (again.unchanged, again.inserted, again.updated, again.touched) == (3, 0, 0, 0)
    assert (mirrored(warehouse, "main", "clients"), warehouse.rows("select run_id from ninja.contacts")) == before


def test_a_record_is_touched_where_only_the_part_without_columns_has_changed(warehouse, load_records):
    load_records([client("a", future=1), client("b", future=1)])
    again = load_records([client("a", future=2), client("b", future=1)]).run
    assert (again.touched, again.unchanged) == (1, 1)


@pytest.mark.parametrize("kind", ["pull", "full"])
def test_an_unchanged_mirror_is_compared_without_whole_rows(warehouse, load_records, monkeypatch, kind):
    load_records(PAGES[1])
    staged, stage = [], type(warehouse).stage
    monkeypatch.setattr(
        type(warehouse),
        "stage",
        lambda self, name, schema, rows: (staged.append(schema), stage(self, name, schema, rows)),
    )
    load_records(PAGES[1], kind=kind)
    assert staged
    assert not any("record" in schema.names or "balance" in schema.names for schema in staged)
