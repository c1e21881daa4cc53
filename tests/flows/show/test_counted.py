"""A number and its noun."""

from __future__ import annotations

import pytest

from flows.show.counted import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "client", "1 client"),
        (0, "client", "0 clients"),
        (2, "client", "2 clients"),
        (1200, "row", "1,200 rows"),
        (1, "entry", "1 entry"),
        (2, "entry", "2 entries"),
        (3, "day", "3 days"),
    ],
)
def test_a_noun_takes_the_form_that_its_number_needs(number, noun, text):
    assert counted(number, noun) == text
