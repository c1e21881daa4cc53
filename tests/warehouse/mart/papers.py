"""Rows of documents, put straight into the mirror's tables for tests of the views above them."""

from __future__ import annotations

from tests.records import MOMENT

OWN = {
    "source": "main", "row_hash": "", "record": "{}", "run_id": "run", "is_deleted": False,
    "valid_from": MOMENT, "observed_at": MOMENT, "observed_run_id": "run",
}  # fmt: skip


class Papers:
    """Adds documents with ids of their own."""

    def __init__(self, warehouse, source="main"):
        self.warehouse, self.source, self.made = warehouse, source, 0

    def read(self, *entities):
        """Note that these entities have been read."""
        for entity in entities or ("invoices", "payments", "credits"):
            self._insert("control.watermarks", {"entity": entity, "began_at": MOMENT, "run_id": "run"}, own=("source",))

    def invoice(self, client, amount, balance, *, status="2", paid=None, **more):
        paid = amount - balance if paid is None else paid
        figures = {"amount": amount, "balance": balance, "paid_to_date": paid, "status_id": status}
        return self._insert("ninja.invoices", {"client_id": client, **figures, **more})

    def credit(self, client, amount, balance, *, status="2", **more):
        figures = {"amount": amount, "balance": balance, "paid_to_date": amount - balance, "status_id": status}
        return self._insert("ninja.credits", {"client_id": client, **figures, **more})

    def payment(self, client, amount, *uses, refunded=0, status="4", **more):
        """`uses` are the amounts applied: (column, id of the document, amount)."""
        applied = sum(used for _, _, used in uses)
        figures = {"amount": amount, "applied": applied, "refunded": refunded, "status_id": status}
        payment = self._insert("ninja.payments", {"client_id": client, **figures, **more})
        for column, document, used in uses:
            row = {"payment_id": payment, column: document, "amount": used, "refunded": 0}
            self._insert("ninja.payment_applications", row, own=("source", "run_id"))
        return payment

    def _insert(self, table, values, own=tuple(OWN)):
        self.made += 1
        ours = {name: OWN[name] for name in own} | {"source": self.source}
        if table.startswith("ninja."):
            ours["id"] = f"paper{self.made}"
        row = ours | values
        places = ", ".join("cast($record as json)" if name == "record" else f"${name}" for name in row)
        self.warehouse.execute(f"insert into {table} ({', '.join(row)}) values ({places})", row)
        return row.get("id")
