"""A real browser for the tests: the Chromium or Chrome of this machine, without a window.

`make test` installs Debian's where it may. Where there is none, the tests of the desk fail and say what to install.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

CHOICE = "NINJA_SYNC_TEST_BROWSER"
NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip
MISSING = (
    "The tests of the desk need a browser. On Debian or Ubuntu, as root: apt-get install chromium. Elsewhere install "
    f"Chromium or Chrome, or set {CHOICE} to its program."
)
HERE = "127.0.0.1"
FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-proxy-server", f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HERE}",
)  # fmt: skip
LEFT = "net::ERR_ABORTED"
"""How Chromium calls a request that ends since its page was left, or since its answer is a download."""
DEFAULT_SIZE = {"width": 1000, "height": 800}
PATIENCE = 60_000
"""Milliseconds until a test gives up waiting for a page."""
expect.set_options(timeout=PATIENCE)


class NoBrowser(Exception):
    """This machine has no browser that the tests can use."""


def program() -> str:
    """The path of a Chromium or Chrome. Raises NoBrowser, which says what to install, where there is none."""
    chosen = os.environ.get(CHOICE)
    for name in (chosen,) if chosen else NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowser(f"{chosen}, the value of {CHOICE}, is no program. {MISSING}" if chosen else MISSING)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a browser, and end it.

    While it runs, this thread cannot run an event loop of its own: so start one for a file of tests, not for all.
    """
    at = program()
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)  # root has no sandbox
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=at, args=flags)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """What went wrong on a page so far. Statuses that a test expects are no faults; 0 stands for no answer."""

    expected: frozenset[int]
    faults: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note the page's errors, what its policy blocks, requests that fail, and those to other machines."""
        page.on("console", self._says)
        page.on("pageerror", lambda problem: self.faults.append(f"error: {problem}"))
        page.on("request", self._asks)
        page.on("requestfailed", self._fails)
        page.on("response", self._is_answered)

    def _says(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:  # else `response` has it
            self.faults.append(f"console: {message.text}")

    def _asks(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != HERE:
            self.faults.append(f"leaves this machine: {request.url}")

    def _fails(self, request: Request) -> None:
        if request.failure != LEFT and 0 not in self.expected:
            self.faults.append(f"failed: {request.method} {request.url} {request.failure}")

    def _is_answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")


@contextmanager
def opened_page(browser: Browser, base_url: str, *, expected: Iterable[int] = (), **options: Any) -> Iterator[Page]:
    """Open a page as a new visitor in English and UTC. At the end, assert that nothing went wrong on it.

    `expected` are statuses that the test provokes, 0 for no answer. `options` are Playwright's for a context.
    """
    options = {"viewport": DEFAULT_SIZE, "locale": "en-GB", "timezone_id": "UTC", "reduced_motion": "reduce"} | options
    context = browser.new_context(base_url=base_url, **options)
    watched = Watched(frozenset(expected))
    context.on("page", watched.watch)  # and windows that it opens
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page
        assert not watched.faults, "\n".join(watched.faults)
    finally:
        context.close()


AXE = files("axe_playwright_python").joinpath("axe.min.js")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RUN_AXE = """rules => axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"]}).then(
    result => result.violations.flatMap(rule => rule.nodes.map(
        node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`)))"""


def check_accessible(page: Page) -> None:
    """Assert that axe finds nothing on the page that keeps people from using it, contrast included."""
    page.wait_for_load_state()
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    faults = page.evaluate(RUN_AXE, list(RULES))
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""The page is drawn in its new size, and its script knows."""
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth, faults = [];
    const text = node => `<${node.tagName.toLowerCase()} class="${node.getAttribute("class") ?? ""}"> `
        + (node.textContent ?? "").trim().replace(/\\s+/g, " ").slice(0, 60);
    const styles = node => getComputedStyle(node);
    const contained = node => { // in a box that scrolls, or is not shown on purpose
        for (let box = node.parentElement; box && box !== document.body; box = box.parentElement)
            if (styles(box).overflowX !== "visible") return true;
        return false;
    };
    if (document.documentElement.scrollWidth > width)
        faults.push(`the page scrolls sideways: ${document.documentElement.scrollWidth} > ${width}`);
    for (const node of document.body.querySelectorAll("*")) {
        const box = node.getBoundingClientRect();
        if (!box.width || !box.height || box.width <= 1) continue;
        if ((box.right > width + 1 || box.left < -1) && box.right > 0 && box.bottom > 0 && !contained(node))
            faults.push(`ends at ${Math.round(box.right)}: ${text(node)}`);
        if (node.matches("input, select")) continue; // a person can move their text
        if (["hidden", "clip"].includes(styles(node).overflowX) && node.scrollWidth > node.clientWidth + 1)
            faults.push(`is cut off: ${text(node)}`);
    }
    return faults;
}"""


def check_width(page: Page, width: int) -> None:
    """Assert that the page fits into this width: it does not scroll sideways, and nothing is cut off.

    Wide tables may scroll in boxes of their own.
    """
    page.wait_for_load_state()  # its style sheet too
    page.set_viewport_size({"width": width, "height": DEFAULT_SIZE["height"]})
    page.evaluate(DRAWN)
    faults = page.evaluate(TOO_WIDE)
    assert not faults, f"{page.url} at {width}:\n" + "\n".join(faults)


INTERACTIVE = """() => {
    const what = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
    const groups = new Set();
    window.reached = new Set();
    window.wanted = [...document.querySelectorAll(what)].filter(node => {
        if (node.disabled || node.tabIndex < 0 || !node.checkVisibility({visibilityProperty: true})) return false;
        if (node.type !== "radio") return true;
        const group = [...document.querySelectorAll("input[type=radio]")]
            .filter(other => other.name === node.name && other.form === node.form);
        return node === (group.find(other => other.checked) ?? group[0]); // arrows go to the others
    });
    const start = document.createElement("span"); // the first Tab goes on from here
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
    return window.wanted.length;
}"""
FOCUSED = """() => {
    const node = document.activeElement;
    if (!node || node === document.body || node === document.documentElement) return null;
    if (window.reached.has(node)) return node.matches("input[type^=date], input[type=month]") ? "again" : null;
    window.reached.add(node);
    const style = getComputedStyle(node), html = node.outerHTML.slice(0, 120);
    const box = node.getClientRects()[0] ?? node.getBoundingClientRect(); // of a link on two lines, its first
    const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none";
    if (!ringed) return `its focus is not visible: ${html}`;
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    if (!inside) return `it is focused but not shown: ${html}`;
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 2);
    const above = document.elementFromPoint(x, y);
    const hidden = above && !node.contains(above) && !above.contains(node) && !above.closest("label");
    return hidden ? `something covers it: ${html}` : "";
}"""
NOT_REACHED = "() => window.wanted.filter(node => !window.reached.has(node)).map(node => node.outerHTML.slice(0, 160))"


def tab_through(page: Page) -> int:
    """Go through the page with the Tab key; return the number of stops.

    Assert that it reaches all that can be used, and that a person sees where the focus is.
    """
    page.wait_for_load_state()
    wanted, faults, stops = page.evaluate(INTERACTIVE), [], 0
    for _ in range(5 * wanted + 50):  # boxes that scroll are stops too, and a date has four
        page.keyboard.press("Tab")
        fault = page.evaluate(FOCUSED)
        if fault is None:
            break
        stops += fault != "again"
        faults += [fault] if fault not in ("", "again") else []
    faults += [f"the Tab key does not reach {html}" for html in page.evaluate(NOT_REACHED)]
    assert not faults, f"{page.url}:\n" + "\n".join(faults)
    return stops


if __name__ == "__main__":  # `make services` asks whether there is one
    try:
        print(program())
    except NoBrowser as missing:
        sys.exit(str(missing))
