"""A desk that answers on loopback, its warehouse pulled from a sandbox, and a person who uses it."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from threading import Thread

import httpx
import pytest

from flows.desk.server import open_desk
from tests.browser import opened_page, running_browser

PERSON = "Anna"
PATIENCE = 120.0


class Text(HTMLParser):
    """The text of a page that a person sees, in one line."""

    def __init__(self, html):
        super().__init__()
        self.parts, self.hidden = [], 0
        self.feed(html)

    def handle_starttag(self, tag, _attrs):
        self.hidden += tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.hidden -= tag in {"script", "style"}

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data)

    def __str__(self):
        return re.sub(r"\s+", " ", " ".join(self.parts)).strip()


def text_of(answer):
    """What a person reads on a page."""
    return str(Text(answer.text))


class Visitor:
    """A person at the desk: opens pages, sends forms with their token, waits for long work."""

    def __init__(self, opened, person=PERSON):
        self.desk, self.origin = opened.desk, opened.desk.url
        self.http = client(opened)
        self.link = opened.link_for(person)
        entered = self.http.post(self.link, headers={"Origin": self.origin}, follow_redirects=False)
        assert entered.status_code == 303

    @property
    def session(self):
        return self.desk.sessions.find(self.http.cookies[self.desk.cookie])

    def get(self, path, status=200):
        answer = self.http.get(path)
        assert answer.status_code == status, text_of(answer)
        return answer

    def post(self, path, data=None, *, files=None, status=200):
        """Send a form; follow to the page it leads to, and wait there for long work."""
        answer = self.http.post(
            path, data={"csrf": self.session.csrf} | (data or {}), files=files, headers={"Origin": self.origin}
        )
        answer = self.wait(answer)
        assert answer.status_code == status, text_of(answer)
        return answer

    def wait(self, answer):
        """Wait for long work, if a page shows its progress; return the page of its result."""
        until = time.monotonic() + PATIENCE
        while "/jobs/" in str(answer.url) and 'id="progress"' in answer.text:
            assert time.monotonic() < until, text_of(answer)
            time.sleep(0.05)
            answer = self.http.get(answer.url.path)
        return answer


def client(opened):
    """A browser without a session; each request has a connection of its own, so that none is left open."""
    return httpx.Client(
        base_url=opened.desk.url, follow_redirects=True, timeout=PATIENCE, trust_env=False,
        headers={"Connection": "close"},
    )  # fmt: skip


@contextmanager
def answering(settings, **how):
    """A desk that answers, in a thread of this process."""
    opened = open_desk(settings, **how)
    thread = Thread(target=opened.serve)
    thread.start()
    try:
        yield opened
    finally:
        opened.server.should_exit = True
        thread.join()
        opened.desk.jobs.wait()


@pytest.fixture
def opened(settings, server, pulls, monkeypatch):
    """A desk before a warehouse that has been pulled once; the server's token is in the environment."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pulls()
    with answering(settings) as opened:
        yield opened


@pytest.fixture
def desk(opened):
    """The desk of `opened`."""
    return opened.desk


@pytest.fixture
def visitor(opened):
    """A person who has entered the desk."""
    return Visitor(opened)


@pytest.fixture(scope="module")
def browser():
    """A real browser, for a file of tests."""
    with running_browser() as started:
        yield started


@contextmanager
def entered(browser, opened, **options):
    """A page in a real browser whose person has entered the desk."""
    with opened_page(browser, opened.desk.url, **options) as page:
        page.goto(opened.link_for(PERSON))
        page.get_by_role("button", name="Enter").click()
        yield page
