"""A group as people see it, in a terminal and in a browser: the order of its clients, names of fields, and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flows.dedupe.review import Case, Line
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS

DIFFERENT: Final = "≠"
ONE_BLANK: Final = "+"
MARKS: Final[Mapping[str, str]] = {DIFFERENT: "different values", ONE_BLANK: "a value against a blank"}
"""The marks of a field that shows whether clients are the same, with their meaning."""
DECIDED: Final[Mapping[str, str]] = {SAME_AS: "the same", NEVER_MERGE: "not the same", LATER: "left for later"}
"""The words for each decision."""
LETTERS: Final = "123456789abcdefghijklmnop"
"""What each client of a group is called beside its reasons: a key that chooses it in the terminal."""
_LABELS: Final[Mapping[str, str]] = {
    "display_name": "name", "paid_to_date": "paid", "address1": "street", "currency_code": "currency",
    "vat_number": "VAT number", "id_number": "ID number", "created_at": "created", "updated_at": "changed",
}  # fmt: skip


def in_order(case: Case) -> list[str]:
    """Return the clients of a group, with the client to keep first."""
    return sorted(case.ids, key=lambda client_id: (client_id != case.kept, case.ids.index(client_id)))


def letter_of(ids: Sequence[str], client_id: str) -> str:
    """Return what a client is called beside the reasons; `ids` are those of `in_order`."""
    place = ids.index(client_id)
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


def label_of(line: Line) -> str:
    """Return what people call a field."""
    return _LABELS.get(line.name, line.name.replace("_", " "))


def mark_of(line: Line) -> str:
    """Return the mark of a field whose values disagree, or that only some clients have; else nothing."""
    return DIFFERENT if line.differs else ONE_BLANK if line.missing else ""
