"""Two jobs of a book-keeper from their first page to their last, as she does them in the browser.

`look(name)` is called on each page on the way: to check it, or to take its picture.
"""

from __future__ import annotations

import io
import re

from openpyxl import Workbook
from playwright.sync_api import expect

TWINS = "Journey Instruments"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONG = 120_000
"""Milliseconds for long work, such as the search for duplicates."""


def nothing(_name):
    """Do not look."""


def make_twins(server):
    """Create two clients who are one, each with an invoice that is due: their ids, the one to keep first."""
    ids = []
    for name, cost in ((f"{TWINS} Ltd", "100.25"), (f"{TWINS} Limited", "23.50")):
        contact = {"first_name": "Ada", "last_name": "Journey", "email": "ada@journey.example"}
        made = server.call("POST", "/api/v1/clients", {"name": name, "city": "Leeds", "contacts": [contact]})["data"]
        lines = [{"product_key": "work", "quantity": 1, "cost": cost}]
        server.call("POST", "/api/v1/invoices?mark_sent=true", {"client_id": made["id"], "line_items": lines})
        ids.append(made["id"])
    return ids


def find_duplicates(page, look=nothing):
    """Look for duplicates, and wait for the list."""
    page.goto("/duplicates")
    page.get_by_role("button", name="Look for duplicates").click()
    expect(page.get_by_role("status")).to_contain_text("Found:", timeout=LONG)
    look("duplicates")


def review(page, press, look=nothing):
    """Go through the groups until the twins come, keep the first of them, and go to the end.

    `press` presses the button of a key: by the key, or by the button where no script runs.
    """
    page.get_by_role("button", name="Review").click()
    heading = page.locator("#part h2")
    while TWINS not in page.locator("#part table").first.text_content():
        before = heading.text_content()
        page.wait_for_load_state()  # the script listens then
        press("f")
        expect(heading).not_to_have_text(before)
    look("review")
    column = page.locator("thead th").filter(has_text="keep this client")
    kept = 0 if page.get_by_role("row", name="name").get_by_role("cell").first.text_content() == f"{TWINS} Ltd" else 1
    column.nth(kept).get_by_role("radio").check()
    before = page.url
    press("s")
    expect(page).not_to_have_url(before)
    page.goto(page.url.rpartition("/")[0] + "/end")
    look("review-end")


def merge(page, password, look=nothing):
    """Plan the merges that are decided, look at the plan, confirm it, and wait for the result."""
    page.goto("/merges/plan")
    look("plan-merges")
    page.get_by_role("button", name="Make the plan").click()
    button = page.get_by_role("button", name="Merge 1 pair of clients for good")
    expect(button).to_be_visible(timeout=LONG)
    look("merge")
    page.locator("#f-text").fill(page.locator(".merge-now strong").last.text_content())
    page.get_by_label("Your Invoice Ninja password").fill(password)
    button.click()
    expect(page.get_by_text("1 of 1 merged")).to_be_visible(timeout=LONG)
    look("merged")


def workbook(rows):
    """An Excel file as people write it."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return {"name": "corrections.xlsx", "mimeType": XLSX, "buffer": written.getvalue()}


def correct(page, rows, fields, look=nothing):
    """Upload rows as an Excel file, choose the field of some columns, and plan the changes."""
    page.goto("/corrections")
    look("corrections")
    page.get_by_label("Excel or CSV file").set_input_files(workbook(rows))
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The columns of the file")
    for heading, field in fields.items():
        page.get_by_label(heading, exact=True).select_option(field)
    look("columns")
    page.get_by_role("button", name="Compare with Invoice Ninja").click()
    expect(page.get_by_role("button", name="Make a plan")).to_be_visible(timeout=LONG)
    look("changes")
    page.get_by_label("Reason").fill("addresses from the trade fair")
    page.get_by_role("button", name="Make a plan").click()
    expect(page.get_by_role("button", name="Apply")).to_be_visible(timeout=LONG)
    look("plan")


def approve_and_apply(page, look=nothing):
    """Approve the plan on the page, then apply it, and wait for its end."""
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text(re.compile("^Approved by Anna@"))).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Ended")).to_be_visible(timeout=LONG)
    look("applied")
