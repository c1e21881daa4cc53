"""The bench of receivables, on few clients: its books are sound, so that its figures mean something."""

from __future__ import annotations

from tests.bench.receivables import TARGETS, build
from warehouse.opened.open import open_place

CLIENTS = 200


def test_the_books_have_open_items_and_answers_to_every_question(place):
    with open_place(place) as warehouse:
        build(warehouse, CLIENTS)
    with open_place(place, read_only=True) as warehouse:
        for name, (query, _) in TARGETS.items():
            assert warehouse.rows(query) or "reconciliation" in query, name  # these books have nothing to explain
        asked = "select sum(owed), sum(overpaid), sum(unapplied_payments), sum(open_credits) from"
        ((owed, overpaid, unapplied, credits_),) = warehouse.rows(f"{asked} mart.aging")
        assert warehouse.rows(f"{asked} mart.aging_as_of(current_date + 1)") == [(owed, overpaid, unapplied, credits_)]
        assert owed > credits_ > 0
        assert (overpaid, unapplied) == (0, 0)
        ((then,),) = warehouse.rows("select sum(owed) from mart.aging_as_of(current_date - 365)")
        assert then not in (owed, 0)
