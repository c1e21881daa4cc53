"""Long work of the desk: once at a time, a few pieces for each person, and none that could not begin stays behind."""

from __future__ import annotations

import threading
from threading import Thread

import pytest

from flows.desk.jobs import MOST_AT_ONCE, MOST_OF_ONE, Jobs
from schemas.errors import Busy


class Works:
    """Jobs whose work waits until it is let go."""

    def __init__(self):
        self.jobs, self.gate, self.done = Jobs(), threading.Event(), []

    def start(self, session="anna", title="Work", **how):
        def work(_progress):
            self.gate.wait(60)
            self.done.append(title)

        return self.jobs.start(session, title, work, lambda _: "/", **how)

    def end(self):
        self.gate.set()
        self.jobs.wait()


@pytest.fixture
def works():
    made = Works()
    yield made
    made.end()


def test_a_second_click_is_the_same_job_and_another_choice_is_refused(works):
    mails = works.start(title="Mail 3 statements", once="mail main", choice=["a", "b", "c"])
    assert works.start(title="Mail 3 statements", once="mail main", choice=["a", "b", "c"]) is mails
    for session in ("anna", "ben"):
        with pytest.raises(Busy, match="under way: Mail 3 statements"):
            works.start(session, "Mail 1 statement", once="mail main", choice=["d"])
    works.start(title="Another company", once="mail other", choice=["d"])
    works.end()
    works.start(title="Mail 1 statement", once="mail main", choice=["d"])
    works.jobs.wait()
    assert sorted(works.done) == ["Another company", "Mail 1 statement", "Mail 3 statements"]


def test_one_person_begins_only_a_few_pieces_of_work_at_once(works):
    first = works.start(once="one")
    for _ in range(MOST_OF_ONE - 1):
        works.start()
    with pytest.raises(Busy, match=f"begun {MOST_OF_ONE} "):
        works.start()
    assert works.start(once="one") is first  # a look at what is under way is no new work
    works.start("ben")
    works.end()
    works.start()
    assert len(works.jobs.running()) <= 1


def test_all_people_together_begin_only_so_much_work_at_once(works):
    for number in range(MOST_AT_ONCE):
        works.start(f"person {number}")
    with pytest.raises(Busy, match="of others"):
        works.start("another person")
    assert len(works.jobs.running()) == MOST_AT_ONCE


def test_work_that_could_not_begin_can_be_begun_again(works, monkeypatch):
    def refused(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", refused)
        with pytest.raises(Busy, match="no room"):
            works.start(once="pull")
    assert works.jobs.running() == []
    works.start(once="pull")
    works.end()
    assert works.done == ["Work"]
