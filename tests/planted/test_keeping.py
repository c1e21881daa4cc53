"""Each mistake in `keeping.py` is caught by the tests that are named beside it, which pass without it."""

from __future__ import annotations

import pytest

from tests.planted.keeping import MISTAKES
from tests.planted.mistake import all_of
from tests.planted.run import all_tests, run

pytestmark = pytest.mark.slow


@pytest.mark.proof
def test_without_a_mistake_these_tests_pass(tmp_path):
    code, said = run(all_tests(MISTAKES), tmp_path)
    assert code == 0, said


@pytest.mark.parametrize("name", all_of(MISTAKES))
def test_a_planted_mistake_is_caught(tmp_path, name):
    code, said = run(MISTAKES[name].caught_by, tmp_path, planted=name)
    assert code == 1, said
