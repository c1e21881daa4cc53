"""The papers of a client that was merged in, from its backup: each with its number and date, if the mirror has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from flows.merge.effect import in_words
from flows.show.links import link_in_app
from flows.show.show import amount
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

PAPERS: Final[Mapping[str, str]] = {
    "invoice": "invoices", "payment": "payments", "credit": "credits", "quote": "quotes",
    "recurring_invoice": "recurring_invoices", "task": "tasks", "expense": "expenses",
    "recurring_expense": "recurring_expenses", "purchase_order": "purchase_orders",
}  # fmt: skip
"""The records that move with a client, each with its path in the app."""
Key = tuple[str, str]
"""The kind and id of a paper."""
Mirrored = Mapping[Key, tuple[str, date | None]]
"""The number and date of papers."""


def mirrored_papers(warehouse: Warehouse, source: str, gone: Mapping[str, Any]) -> Mirrored:
    """Return the numbers and dates of the papers of a backup, of those that the mirror has."""
    ids = [key for _, key in _papers_of(gone)]
    rows = warehouse.rows(statement("plans/papers"), {"source": source, "ids": ids})
    return {
        (str(kind), str(key)): (str(number or ""), day if isinstance(day, date) else None)
        for kind, key, number, day in rows
    }


def papers_in_words(gone: Mapping[str, Any], url: str, mirrored: Mirrored, code: str) -> Iterator[tuple[str, str]]:
    """Yield each paper with its number, its date and its effect on the balance, and its link; by kinds and days.

    The date is the paper's own. The day when somebody entered it may be another, so it is called that.
    """
    papers = _papers_of(gone)
    for kind, key in sorted(papers, key=lambda paper: (list(PAPERS).index(paper[0]), papers[paper][0])):
        at, added = papers[kind, key]
        number, day = mirrored.get((kind, key), ("", None))
        entered = f" entered on {datetime.fromtimestamp(at, UTC):%Y-%m-%d}" if at else ""
        change = f", {'+' if added > 0 else ''}{amount(added, code)} {code} to the balance" if added else ""
        text = f"{in_words(kind)}{f' {number}' if number else ''}{f' of {day:%Y-%m-%d}' if day else entered}{change}"
        yield text, link_in_app(url, PAPERS[kind], key)


def _papers_of(gone: Mapping[str, Any]) -> dict[Key, tuple[int, Decimal]]:
    """Return each paper in the ledger or the activities once: its first stamp, and its effect on the balance."""
    papers: dict[Key, tuple[int, Decimal]] = {}
    rows: Sequence[Mapping[str, Any]] = [*(gone.get("ledger") or []), *(gone.get("activities") or [])]
    for row in rows:
        for kind in PAPERS:
            if key := row.get(f"{kind}_id"):
                at, added = papers.get((kind, str(key)), (0, Decimal(0)))
                at = min(filter(None, (at, row.get("created_at") or 0)), default=0)
                papers[kind, str(key)] = (at, added + Decimal(str(row.get("adjustment") or 0)))
    return papers
