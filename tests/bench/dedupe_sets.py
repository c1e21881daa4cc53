"""The labelled sets to measure on: invented books and companies, FEBRL's persons, restaurants and child-care sites.

Restaurants and child-care sites are real data of other people. They are not part of this repository: set
NINJA_SYNC_DEDUPE_SETS to a folder with their files (`tests/bench/sets/README.md`), else they are left out.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.dedupe_books import PLAIN, Labelled, book
from tests.bench.dedupe_crowd import crowd
from tests.bench.dedupe_fields import Row
from tests.flows.dedupe.labelled import febrl_rows

FOLDER = "NINJA_SYNC_DEDUPE_SETS"
"""The environment variable with the folder of the sets that are not ours."""
CHILD_CARE = "csv_example_input_with_true_ids.csv"
RESTAURANTS = ("fodors.csv", "zagats.csv", "matches_fodors_zagats.csv")
BOOKS = range(901, 909)
"""The seeds of the books to measure on. Nothing may be fitted on them."""
BOOK_SIZE = 2_500
EMPTY: Row = {
    "name": None, "vat_number": None, "id_number": None, "emails": [], "phones": [], "website": None, "address": None,
    "city": None, "postal_code": None, "country": None, "persons": [],
}  # fmt: skip


def sets() -> dict[str, Callable[[], list[Labelled]]]:
    """Return each set by name; a call makes or reads it."""
    made: dict[str, Callable[[], list[Labelled]]] = {f"book {seed}": partial(book, BOOK_SIZE, seed) for seed in BOOKS}
    made["5,000 companies"] = lambda: labelled(crowd(5_000))
    made |= {f"FEBRL {number}": partial(_febrl, number) for number in (1, 2, 3, 4)}
    if FOLDER in os.environ:
        folder = Path(os.environ[FOLDER])
        theirs = {"restaurants": (RESTAURANTS[0], restaurants), "child-care sites": (CHILD_CARE, child_care)}
        made |= {name: partial(read, folder) for name, (file, read) in theirs.items() if (folder / file).exists()}
    return made


def labelled(rows: Sequence[tuple[str, Row]]) -> list[Labelled]:
    """Return the records of a set without kinds: each family is the records of one identity."""
    families: dict[str, int] = {}
    return [Labelled(who, PLAIN, families.setdefault(who, len(families)), "", {**EMPTY, **row}) for who, row in rows]


def restaurants(folder: Path) -> list[Labelled]:
    """Return the restaurants of two guides, Fodor's and Zagat's: 864 records, of which 112 pairs are one."""
    fodors, zagats, matches = (_rows(folder / name) for name in RESTAURANTS)
    same = {match["zagats_id"]: f"fodors {match['fodors_id']}" for match in matches}
    rows = [(f"fodors {row['id']}", row) for row in fodors]
    rows += [(same.get(row["id"], f"zagats {row['id']}"), row) for row in zagats]
    return labelled([
        (who, {"id": f"r{at:04}", "name": row["name"], "address": row["addr"], "city": row["city"],
               "phones": [row["phone"]], "country": "US"})
        for at, (who, row) in enumerate(rows)
    ])  # fmt: skip


def child_care(folder: Path) -> list[Labelled]:
    """Return the early childhood sites of Chicago, from ten lists: 3,337 records of 1,162 sites."""
    return labelled([(row["True Id"], _site(row)) for row in _rows(folder / CHILD_CARE)])


def _febrl(number: int) -> list[Labelled]:
    return labelled(febrl_rows(number))


def _site(row: dict[str, str]) -> Row:
    return {
        "id": f"s{int(row['Id']):04}", "name": row["Site name"].strip() or None, "country": "US",
        "address": row["Address"].strip() or None, "postal_code": row["Zip"].strip() or None,
        "phones": [row["Phone"]] if row["Phone"].strip() else [],
    }  # fmt: skip


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", errors="replace", newline="") as opened:
        return list(csv.DictReader(opened))
