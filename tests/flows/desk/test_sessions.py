"""What a session keeps: the values used last, a few of a large kind, from any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from flows.desk.sessions import MOST_KEPT, Sessions


@pytest.fixture
def session():
    sessions = Sessions()
    return sessions.enter(sessions.invite("Anna"))


def test_a_value_that_is_used_outlives_any_number_of_searches(session):
    used, unused = session.keep(["the file with an hour of edits"]), session.keep(["another"])
    for number in range(3 * MOST_KEPT):
        session.keep(f"search {number}")
        session.find(used, list)
    assert session.find(used, list)
    assert session.find(unused, list) is None


def test_only_a_few_values_of_a_large_kind_are_kept(session):
    search = session.keep("search")
    keys = [session.keep(b"a large file", most=3) for _ in range(5)]
    assert [key for key, _ in session.kept_of(bytes)] == keys[2:]
    assert session.find(search, str) == "search"
    assert session.find(search, bytes) is None  # a key in the address of another page


def test_threads_keep_and_read_at_once(session):
    def both(number):
        session.note(str(number))
        session.keep(number)
        return len(session.kept_of(int))

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(both, range(3000))) <= MOST_KEPT
    assert len(session.take_notes()) == 3000
    assert session.take_notes() == []
