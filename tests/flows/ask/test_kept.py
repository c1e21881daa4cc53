"""Answers in memory: the ones not asked for longest go first, and one answer is made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pyarrow as pa
import pytest

from flows.ask import kept as module
from flows.ask.kept import Kept, waiting_at_most
from flows.configuration.values import Settings
from schemas.errors import Busy


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


class Slow(Counted):
    """A warehouse whose first answer takes until it is told to give it."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = Event(), Event()

    def table(self, sql, params):
        found = super().table(sql, params)
        if len(self.asked) == 1:
            self.begun.set()
            assert self.go.wait(60)
        return found


def test_a_request_does_not_wait_long_for_an_answer_that_another_thread_makes(settings):
    warehouse, kept = Slow(), Kept()
    with ThreadPoolExecutor() as pool:
        making = pool.submit(kept.table, warehouse, settings, "a")
        assert warehouse.begun.wait(60)
        with waiting_at_most(0.01):
            with pytest.raises(Busy, match="being computed"):
                kept.table(warehouse, settings, "a")
            assert kept.table(warehouse, settings, "b") is not None  # another answer is made meanwhile
            with waiting_at_most(None):
                patient = pool.submit(kept.table, warehouse, settings, "a")
        warehouse.go.set()
        with waiting_at_most(0.01):
            assert patient.result() is making.result() is kept.table(warehouse, settings, "a")
    assert [sql for sql, _ in warehouse.asked] == ["a", "b"]


def test_where_many_wait_for_an_answer_the_next_request_is_told_at_once(settings, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 0)
    warehouse, kept = Slow(), Kept()
    with ThreadPoolExecutor() as pool:
        making = pool.submit(kept.table, warehouse, settings, "a")
        assert warehouse.begun.wait(60)
        with waiting_at_most(3600), pytest.raises(Busy, match="being computed"):
            kept.table(warehouse, settings, "a")
        warehouse.go.set()
        making.result()
