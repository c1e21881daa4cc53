"""The page says about an earlier day what the documentation says."""

from __future__ import annotations

from pathlib import Path

from flows.ask.earlier_day import DIFFERENT, EARLIER_DAY

DOCS = (Path(__file__).parents[3] / "docs" / "receivables.md").read_text()


def test_the_words_are_those_of_the_documentation():
    assert EARLIER_DAY in DOCS
    _, _, rest = DOCS.partition("| event since that day | what the day shows |\n|---|---|\n")
    rows = [line.strip("|").split(" | ") for line in rest.partition("\n\n")[0].splitlines()]
    assert [tuple(cell.strip() for cell in row) for row in rows] == list(DIFFERENT)
