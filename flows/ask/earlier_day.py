"""Where ageing on an earlier day cannot be right, in the words of docs/receivables.md."""

from __future__ import annotations

from typing import Final

EARLIER_DAY: Final = (
    "The server's records hold the present state, and not every event. "
    "On an earlier day, these differ from the truth of then:"
)
DIFFERENT: Final = (
    ("the amount of an invoice or credit was changed", "the new amount, from the date of the document on"),
    (
        "the due date, the date or the client of a document was changed (a merge does that)",
        "the new one",
    ),
    ("an invoice or credit was sent after its date", "open from its date on"),
    ("a credit was marked as paid", "never open"),
    (
        "a deposit was paid in full",
        "the whole by the invoice's due date; the record of the deposit is gone",
    ),
    (
        "an invoice, payment or credit was deleted",
        "as if it had never been; invoices that the payment paid are open",
    ),
    (
        "a part of an application was refunded",
        "the refund on the day of the application's last change; the record has no other date",
    ),
    (
        "money of a payment that pays no invoice was refunded",
        "the refund on the day of the payment's last change",
    ),
    ("a cancelled invoice was touched again", "open until that last change"),
    (
        "a cancelled invoice was marked as paid, or a payment of it was refunded or deleted",
        "open by its present open amount",
    ),
    ("a client was deleted", "left out; a merged one counts with the client kept"),
)
"""Events since that day, and what the day shows."""
