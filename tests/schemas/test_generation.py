"""Versions as servers, builds and proxies write them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.generation import COMPUTED_ANEW, NO_LEDGER_NOTE, OLDEST, TELLS_OF_MERGES, numbers_of

ROOT = Path(__file__).parent.parent.parent
NUMBER = st.integers(0, 9999)
SUFFIX = st.sampled_from(["", "-rc1", "+build.7", "-X", "~beta", " (self-hosted)", "rc2", ".4", ".4-rc1"])


@st.composite
def written(draw):
    """Three numbers, and a way in which a server writes them: zeros at the end may be left out."""
    numbers = (draw(NUMBER), draw(st.just(0) | NUMBER), draw(st.just(0) | NUMBER))
    texts = [str(number) for number in numbers]
    suffix = draw(SUFFIX)
    if not suffix.startswith("."):
        while len(texts) > 1 and texts[-1] == "0" and draw(st.booleans()):
            texts.pop()
    return numbers, draw(st.sampled_from(["", "v", "V"])) + ".".join(texts) + suffix


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("5.10.42", (5, 10, 42)), ("5.13.0-rc1", (5, 13, 0)), ("v5", (5, 0, 0)), ("5.13rc", (5, 13, 0)),
        ("5.10.42-X", (5, 10, 42)), ("V5.13", (5, 13, 0)), ("v5.13.0", (5, 13, 0)), ("5.13", (5, 13, 0)),
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
    assert numbers_of(version) == OLDEST
    assert numbers_of(version) < TELLS_OF_MERGES < COMPUTED_ANEW == NO_LEDGER_NOTE


@given(written())
def test_a_version_is_read_however_it_is_written(pair):
    numbers, text = pair
    assert numbers_of(text) == numbers


@given(written(), written())
def test_versions_are_ordered_as_their_numbers_are(one, other):
    assert (numbers_of(one[1]) < numbers_of(other[1])) == (one[0] < other[0])


@given(st.text())
def test_any_text_is_three_numbers_or_older_than_all(text):
    numbers = numbers_of(text)
    assert numbers == OLDEST or (len(numbers) == 3 and numbers > OLDEST)


def test_nobody_else_reads_a_version():
    """No other module splits a version, or compares one with a text or with numbers of its own."""
    files = [file for room in ("connector", "flows", "schemas") for file in (ROOT / room).rglob("*.py")]
    offenders = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files
        if file.name != "generation.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if reads_a_version(node)
    ]
    assert len(files) > 100
    assert offenders == []


def reads_a_version(node):
    """Whether a piece of code takes a version apart: `version.split(...)`, `version < ...`, `version[:4]`."""
    if isinstance(node, ast.Attribute) and node.attr in {"split", "partition", "startswith", "rpartition"}:
        return is_version(node.value)
    if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        return is_version(node.left)
    return isinstance(node, ast.Subscript) and is_version(node.value)


def is_version(node):
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in {"version", "server_version"}
