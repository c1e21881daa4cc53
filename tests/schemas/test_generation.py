"""Versions as servers, builds and proxies write them."""

from __future__ import annotations

import pytest

from schemas.generation import COMPUTED_ANEW, numbers_of


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("5.10.42", (5, 10, 42)), ("5.13.0-rc1", (5, 13, 0)), ("v5", (5,)), ("5.13rc", (5, 13)), ("V5.13", (5, 13)),
        (" 5.12.28 ", (5, 12, 28)), ("5.13.22+build.7", (5, 13, 22)), ("5.13.22.4", (5, 13, 22)),
        ("05.013.1", (5, 13, 1)),
    ],
)  # fmt: skip
def test_a_version_is_read(version, numbers):
    assert numbers_of(version) == numbers


@pytest.mark.parametrize(
    "version",
    [
        None, "", " ", "latest", "5,13", "-5.13", ".5", "5.13,1", "99999999999999999999.1", "9" * 10_000,
        "\\x1b5.13", "٥.١٣", "5.\x00",
    ],
)  # fmt: skip
def test_what_is_no_version_is_older_than_all(version):
    assert numbers_of(version) == ()
    assert numbers_of(version) < COMPUTED_ANEW
