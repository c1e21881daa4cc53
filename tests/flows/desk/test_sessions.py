"""What a session keeps: the values used last, a few of a large kind, from any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from flows.desk.sessions import IDLE, LINK_LASTS, MOST_KEPT, Sessions
from flows.session.clock import SYSTEM_CLOCK
from flows.session.operator import user_of_machine
from schemas.errors import SettingsError


@pytest.fixture
def session():
    sessions = Sessions()
    return sessions.enter(sessions.invite("Anna")[0])


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


@pytest.fixture
def sessions():
    """Sessions of a desk that was opened for Anna, with a clock that `sessions.later` moves."""
    passed = []
    made = Sessions(lambda: SYSTEM_CLOCK.now() + sum(passed, timedelta()))
    made.later = passed.append
    made.invite("Anna")
    return made


def test_a_colleague_acts_under_a_name_that_says_who_vouches_for_it(sessions):
    ben = sessions.enter(sessions.invite("Ben", by="Anna")[0])
    assert ben.person == "Ben (invited by Anna)"
    assert sessions.enter(sessions.invite("Cleo", by=ben.person)[0]).person == "Cleo (invited by Ben (invited by Anna))"


@pytest.mark.parametrize("name", ["Anna", " anna ", "ANNA", "\uff21nna", "An\u00adna", "Ben", "BEN", "Cleo  Klee"])
def test_nobody_can_be_invited_under_a_name_in_use(sessions, name):
    sessions.enter(sessions.invite("Ben", by="Anna")[0])
    sessions.invite("Cleo Klee", by="Anna")
    with pytest.raises(SettingsError):
        sessions.invite(name, by="Ben")


def test_nobody_can_be_invited_as_the_user_of_the_machine(sessions):
    with pytest.raises(SettingsError, match="in use"):
        sessions.invite(user_of_machine().upper(), by="Anna")


def test_nobody_can_give_a_name_that_looks_like_an_invitation_of_somebody_else(sessions):
    with pytest.raises(SettingsError, match="brackets"):
        sessions.invite("Ben \uff08invited by Cleo)", by="Anna")
    assert str(sessions.invite("Dora (Sales)")[1]) == "Dora (Sales)"  # who opens the desk may write anything


def test_a_name_is_free_again_once_nobody_can_act_under_it(sessions):
    sessions.invite("Ben", by="Anna")
    sessions.later(LINK_LASTS)
    token, _ = sessions.invite("Ben", by="Anna")
    assert sessions.enter(token) is not None
    with pytest.raises(SettingsError, match="in use"):
        sessions.invite("Ben", by="Anna")
    sessions.later(IDLE + timedelta(seconds=1))
    sessions.leave(sessions.enter(sessions.invite("Ben", by="Anna")[0]))
    sessions.invite("Ben", by="Anna")
    with pytest.raises(SettingsError, match="in use"):
        sessions.invite("Anna", by="Ben")  # the desk was opened for Anna
