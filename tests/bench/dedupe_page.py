"""The page docs/duplicates-measured.md: what the search for duplicates is worth on labelled sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.bench.dedupe_judged import BOUNDS, Judged
from tests.bench.page import now, table

OURS = "Ninja Sync"
BOOK = "book "
INTRO = """\
# Duplicates, measured

This page is one run of `python -m tests.bench.dedupe_quality`, a part of `make bench`. It counts pairs of clients: of
those inside a group, how many are one client (precision); of those that are one client, how many a group holds
(recall); F1 is the harmonic mean of both.

* **Books** are invented lists of clients, as small companies have them. Most clients resemble no other. Some were
  entered twice; others only look alike. Each book has a character of its own. The weights were fitted to other books
  of the same program (other seeds).
* **5,000 companies** are invented by another program; the weights were fitted to other seeds of it too.
* **FEBRL** are persons with names and addresses only, changed by a program. The weights for such lists were fitted to
  FEBRL 4. FEBRL 1 to 3 come from the same program. Some of their persons have two first names at one address: Ninja
  Sync takes them for two people of one family.
* **Restaurants** and **child-care sites** are real lists. Nothing was fitted to them.
* Other ways make no groups, so their pairs are counted: **exact keys** share a mail address, phone, VAT number, or name
  or address with the postal code; **Jaro-Winkler** compares names within a postal code; **Splink's defaults** are its
  ready-made comparisons, on names and addresses.

No figure here is a promise for your clients."""


def page_of(found: Mapping[tuple[str, str], Judged]) -> str:
    """Return the page; `found` has the figures by set and way."""
    books: dict[str, Judged] = {}
    for (label, way), result in found.items():
        if label.startswith(BOOK):
            books[way] = books.get(way, Judged()) + result
    ours = books[OURS]
    rows = [(label, way, *_figures(result)) for (label, way), result in found.items()]
    rows += [("all books", way, *_figures(result)) for way, result in books.items()]
    parts = [
        INTRO,
        f"{now():%Y-%m-%d}.",
        "## All sets",
        table(("set", "way", "precision", "recall", "F1"), rows),
        "## The books, by kind",
        "Pairs that are one client, and how many of them Ninja Sync puts into a group:",
        table(("one client", "pairs", "found"), list(_kinds(ours.one, ours.found))),
        "Pairs that only look alike, and how many of them Ninja Sync puts into a group:",
        table(("two clients", "pairs", "in a group"), list(_kinds(ours.never, ours.merged))),
        "## The books, by probability",
        "Pairs by the probability that Ninja Sync gives them, its mean, and the share that is one client:",
        table(("probability", "pairs", "mean", "are one"), list(_bands(ours))),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(result: Judged) -> tuple[str, str, str]:
    return f"{result.precision:.3f}", f"{result.recall:.3f}", f"{result.f1:.3f}"


def _kinds(pairs: Mapping[str, int], inside: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    for kind in sorted({*pairs, *inside}):
        yield kind, f"{pairs.get(kind, 0):,}", f"{inside.get(kind, 0):,}"


def _bands(result: Judged) -> Iterator[tuple[str, str, str, str]]:
    for low, high, band in zip(BOUNDS, (*BOUNDS[1:], 1), result.bands, strict=True):
        shares = (f"{band.said / band.pairs:.3f}", f"{band.right / band.pairs:.3f}") if band.pairs else ("", "")
        yield f"{low} to {high}", f"{band.pairs:,}", *shares
