"""The papers of a client: invoices, payments, credits; how they are listed, shown, reckoned and settled."""
