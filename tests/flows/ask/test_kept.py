"""Answers in memory: the ones not asked for longest go first, and one answer is made once."""

from __future__ import annotations

from threading import Thread

import pyarrow as pa
import pytest

from flows.ask.kept import Kept
from flows.configuration.values import Settings


class Counted:
    """A warehouse that counts what it computes."""

    def __init__(self):
        self.version, self.asked = 1, []

    def rows(self, _sql):
        return [(self.version,)]

    def table(self, sql, params):
        self.asked.append((sql, params))
        return pa.table({"n": [len(self.asked)]})


@pytest.fixture
def settings():
    return Settings(warehouse="w", publish=False)


def test_an_answer_is_computed_again_if_the_warehouse_or_a_parameter_changed(settings):
    warehouse, kept = Counted(), Kept()
    first = kept.table(warehouse, settings, "a", {"x": 1})
    assert kept.table(warehouse, settings, "a", {"x": 1}) is first
    assert kept.table(warehouse, settings, "a", {"x": 2}) is not first
    warehouse.version = 2
    assert not kept.has(warehouse, settings, "a", {"x": 1})
    assert kept.table(warehouse, settings, "a", {"x": 1}) is not first
    assert kept.has(warehouse, settings, "a", {"x": 1})
    assert len(warehouse.asked) == 3


def test_the_answer_that_nobody_asked_for_longest_goes_first(settings):
    warehouse, kept = Counted(), Kept(most=2)
    for sql in ("a", "b", "a", "c"):
        kept.table(warehouse, settings, sql)
    assert [kept.has(warehouse, settings, sql) for sql in ("a", "c")] == [True, True]
    kept.table(warehouse, settings, "b")
    assert [sql for sql, _ in warehouse.asked] == ["a", "b", "c", "b"]


def test_threads_that_ask_at_once_wait_for_one_answer(settings):
    warehouse, kept, found = Counted(), Kept(), []
    threads = [Thread(target=lambda: found.append(kept.table(warehouse, settings, "a"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(warehouse.asked) == 1
    assert len({id(table) for table in found}) == 1
