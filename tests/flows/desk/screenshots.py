"""Take the pictures of docs/desk.md: `make screenshots`. Its clients are invented, the same ones each time."""

from __future__ import annotations

import io
import re
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from tests.browser import running_browser
from tests.flows.desk.conftest import entered
from tests.flows.desk.journeys import approve_and_apply, correct, find_duplicates, make_twins, merge, review
from tests.flows.desk.stage import staged

DOCS = Path(__file__).parents[3] / "docs"
FOLDER = DOCS / "desk"
WIDTH, TALLEST = 1000, 1100
COLOURS = 64
PREPARED = """temporary => {
    document.activeElement?.blur();
    scrollTo(0, 0);
    for (const line of document.querySelectorAll(".checks li")) // a path of this machine is not for a picture
        line.innerHTML = line.innerHTML.replace(new RegExp(`${temporary}/[^/]+`), "/srv/books");
}"""
CLIENTS, SEED = 200, 11


def named():
    """The names of the pictures that docs/desk.md shows."""
    return set(re.findall(r"\]\(desk/(\S+)\.png\)", (DOCS / "desk.md").read_text(encoding="utf-8")))


def take(page, name, folder):
    """Write the picture of the page, from its top: small, with few colours."""
    page.wait_for_load_state()
    page.evaluate(PREPARED, tempfile.gettempdir())
    height = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(height, TALLEST)}
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    picture.convert("RGB").quantize(COLOURS).save(folder / f"{name}.png", optimize=True)


def take_all(page, stage, folder):
    """Walk through the desk, and take a picture of each page of docs/desk.md."""
    wanted = named()

    def look(name):
        if name in wanted:
            take(page, name, folder)

    def at(address, name):
        page.goto(address)
        look(name)

    make_twins(stage.server)
    stage.pull()
    find_duplicates(page, look)
    review(page, page.keyboard.press, look)
    at("/", "today")
    merge(page, stage.server.box.password, look)
    first, second, *_ = (one for one in stage.server.clients(sort="number|asc").values() if one["name"].isascii())
    rows = [
        ("Customer", "Town", "Telephone"), (first["number"], "Genève", "+41 22 555 01 01"),
        (second["number"], "Leeds", ""), ("9999", "Bern", "+41 31 555 01 02"),
    ]  # fmt: skip
    correct(page, rows, {"Customer": "key:number", "Town": "city", "Telephone": "phone"}, look)
    approve_and_apply(page, look)
    stage.pull()
    at("/clients?order=owed", "clients")
    page.locator("tbody th a, tbody td a").first.click()
    look("client")
    at("/receivables", "receivables")
    page.goto("/statements")
    page.get_by_role("button", name="Show the debtors").click()
    look("statements")
    page.goto("/health")
    page.get_by_role("button", name="Check now").click()
    page.wait_for_url("**/health**")
    look("health")


def main(folder=FOLDER):
    """Take all pictures, into this folder."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(socket, "gethostname", lambda: "office")  # the journal names the machine
        with (
            staged(Path(place), clients=CLIENTS, seed=SEED) as stage, running_browser() as browser,
            entered(browser, stage.opened, viewport={"width": WIDTH, "height": 800}) as page,
        ):  # fmt: skip
            take_all(page, stage, folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
