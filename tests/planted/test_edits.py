"""Each planted mistake still fits the code: this costs nothing, and the tests that plant them are slow."""

from __future__ import annotations

import pytest

from tests.planted import keeping, reading
from tests.planted.mistake import ROOT

MISTAKES = keeping.MISTAKES | reading.MISTAKES


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_fits_the_code(name):
    for edit in MISTAKES[name].edits:
        text = (ROOT / edit.file).read_text(encoding="utf-8")
        assert edit.applied(text) != text
