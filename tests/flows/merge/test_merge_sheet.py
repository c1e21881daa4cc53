"""The sheet by which a merge is taken back: for people, so with names, dates and links, and without ids and stamps."""

from __future__ import annotations

import re
from datetime import date

from flows.configuration.values import Settings, Source
from flows.merge.sheet import Known, sheet_of, source_of
from flows.merge.sheet_text import as_markdown

KEPT = {
    "id": "joQeZJepZV",
    "number": "0551",
    "display_name": "Kept AG",
    "balance": 10,
    "settings": {"currency_id": "17"},
}
GONE = {
    "id": "EKQe1RaJYv", "number": "0981", "display_name": "Gone AG", "name": "Gone AG", "balance": 5.5,
    "country_id": "756", "group_settings_id": "Wpmbk5ezJn", "user_id": "VolejRejNm", "created_at": 1795907375,
    "updated_at": 1795907375, "has_valid_vat_number": True, "e_invoice": {"a": 1}, "private_notes": "one\ntwo",
    "settings": {"currency_id": "17", "entity": "App\\Models\\Client", "language_id": "3", "pdf_variables": {"a": []}},
    "contacts": [{"id": "Opnel5aKBz", "first_name": "Bob", "email": "bob@m.test", "is_primary": True}],
    "documents": [{"id": "wMvbmOeYAl", "name": "contract.pdf"}],
    "ledger": [
        {"_id": "x", "invoice_id": "mxkazYeJ0P", "adjustment": 120.5, "balance": 120.5, "created_at": 1777593600},
        {"_id": "y", "payment_id": "kzPdy7aQro", "adjustment": -115, "balance": 5.5, "created_at": 1777680000},
    ],
    "activities": [{"id": "z", "invoice_id": "mxkazYeJ0P", "quote_id": "VolejRejNm", "created_at": 1777593500}],
}  # fmt: skip
PAPERS = {("invoice", "mxkazYeJ0P"): ("0077", date(2026, 3, 1)), ("quote", "VolejRejNm"): ("QU1", None)}
NAMES = {"country_id": {"756": "Switzerland"}, "currency_id": {"17": "CHF"}, "language_id": {"3": "German"}}


def test_people_read_names_dates_and_links_and_no_id_or_stamp():
    sheet = as_markdown(sheet_of(KEPT, GONE, "https://books.test/", Known(NAMES, PAPERS)))
    for line in (
        "# Taking back the merge of 0981 Gone AG",
        "It was merged into 0551 Kept AG <https://books.test/#/clients/joQeZJepZV>.",
        "- [ ] country: Switzerland",
        "- [ ] currency: CHF",
        "- [ ] language: German",
        "- [ ] group: set, but its name is not known here. It is known after the next update from the server.",
        "- [ ] private notes: one\n      two",
        "- [ ] settings of its own on other pages: pdf variables",
        "- [ ] Bob, bob@m.test (primary contact)",
        "- [ ] invoice 0077 of 2026-03-01, +120.50 CHF to the balance <https://books.test/#/invoices/mxkazYeJ0P/edit>",
        "- [ ] payment entered on 2026-05-02, -115.00 CHF to the balance <https://books.test/#/payments/kzPdy7aQro/edit>",
        "- [ ] quote QU1 entered on 2026-04-30 <https://books.test/#/quotes/VolejRejNm/edit>",
        "- [ ] contract.pdf",
        "| balance | 10.00 CHF | 5.50 CHF |",
    ):
        assert line in sheet, line
    without_links = re.sub(r"<[^>]*>", "", sheet)
    for hidden in (
        "joQeZJepZV",
        "EKQe1RaJYv",
        "Opnel5aKBz",
        "Wpmbk5ezJn",
        "1795907375",
        "valid vat",
        "e_invoice",
        "App",
    ):
        assert hidden not in without_links


def test_each_contact_says_whether_it_was_moved_or_dropped():
    people = [{"first_name": "Ann", "email": "ann@m.test"}, *GONE["contacts"], {"first_name": "Cy", "email": ""}]
    kept = KEPT | {"contacts": [{"first_name": "Anna", "email": "ann@m.test"}]}
    sheet = as_markdown(sheet_of(kept, GONE | {"contacts": people}))
    assert "- [ ] Ann, ann@m.test: enter it again. The client kept had a contact of its own with this address" in sheet
    assert "- [ ] Bob, bob@m.test (primary contact): move it\n" in sheet
    assert "- [ ] Cy: enter it again. The merge has dropped it" in sheet
    assert "- [ ] Cy: move it\n" in as_markdown(sheet_of(KEPT, GONE | {"contacts": people}))


def test_a_backup_knows_its_source_by_its_name(tmp_path):
    source = Source(url="https://a.test")
    several = Settings(sources={"main": source, "main-2": source})
    assert source_of(several, tmp_path / "main-2-merge-a-b-1.json") == "main-2"
    assert source_of(several, tmp_path / "renamed.json") is None
    assert source_of(Settings(sources={"main": source}), tmp_path / "renamed.json") == "main"
