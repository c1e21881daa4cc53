"""The desk keeps strangers out, lets a person in once by a link, and says who did what."""

from __future__ import annotations

import threading

import httpx
import pytest

from flows.configuration.values import Settings, Source
from flows.desk.server import open_desk
from flows.desk.visit import Visit
from flows.session.operator import acting_as, operator
from schemas.errors import Busy, SettingsError
from tests.flows.desk.conftest import PERSON, Visitor, answering, client, text_of


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A desk before a warehouse that holds nothing: these tests are about who may enter."""
    source = Source(url="http://127.0.0.1:9")
    with answering(Settings(warehouse=str(tmp_path_factory.mktemp("desk") / "w"), sources={"main": source})) as opened:
        yield opened


def test_without_a_session_no_page_is_shown(opened):
    for path in ("/people", "/jobs/1"):
        answer = client(opened).get(path)
        assert answer.status_code == 401
        assert "ninja-sync desk" in text_of(answer)


def test_a_link_works_once_and_opening_it_does_not_use_it_up(opened):
    path = opened.link_for(PERSON)
    assert client(opened).get(path).status_code == 200
    first, second = client(opened), client(opened)
    assert first.post(path, headers={"Origin": opened.desk.url}, follow_redirects=False).status_code == 303
    assert second.post(path, headers={"Origin": opened.desk.url}).status_code == 410
    assert second.get(path).status_code == 410
    (cookie,) = first.cookies.jar
    assert (cookie.has_nonstandard_attr("HttpOnly"), cookie.get_nonstandard_attr("SameSite")) == (True, "strict")


def test_two_desks_of_one_machine_do_not_log_each_other_out(opened, visitor):
    with answering(opened.desk.settings) as second:
        http = client(second)
        http.cookies = visitor.http.cookies  # one browser, whose cookies go to every port of 127.0.0.1
        http.post(second.link_for("Anna"), headers={"Origin": second.desk.url})
        for desk, path in ((opened, "/people"), (second, "/people")):
            cookies = {cookie.name: cookie.value for cookie in http.cookies.jar}
            assert httpx.get(desk.desk.url + path, cookies=cookies, trust_env=False).status_code == 200


def test_behind_https_no_neighbouring_host_can_set_the_cookie(opened):
    with answering(opened.desk.settings, url="https://desk.example.org") as behind:
        port, path = behind.listener.getsockname()[1], behind.link_for(PERSON).removeprefix(behind.desk.url)
        headers = {"Host": "desk.example.org", "Origin": behind.desk.url, "Connection": "close"}
        answer = httpx.post(f"http://127.0.0.1:{port}{path}", headers=headers, trust_env=False)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-ninja_sync_desk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "127.0.0.1", "localhost.evil.example:8137"])
def test_another_host_is_refused_so_that_no_other_name_can_lead_here(opened, host):
    answer = client(opened).get("/", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:8138", "https://127.0.0.1:8137"]
)
def test_a_form_of_another_site_is_refused(visitor, origin):
    headers = {} if origin is None else {"Origin": origin}
    answer = visitor.http.post("/people", data={"csrf": visitor.session.csrf, "person": "Eve"}, headers=headers)
    assert answer.status_code == 403
    assert "/enter/" not in answer.text


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_without_its_token_is_refused(visitor, token):
    answer = visitor.post("/people", {"csrf": token, "person": "Eve"}, status=403)
    assert "/enter/" not in answer.text


def test_every_answer_forbids_scripts_of_others_frames_and_caches(opened, visitor):
    for answer in (
        client(opened).get("/"), visitor.get("/people"), visitor.get("/static/desk.js"), visitor.get("/no", status=404),
        client(opened).get("/", headers={"Host": "evil.example"}),
    ):  # fmt: skip
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_body_without_an_end_is_cut_off(opened, visitor):
    def endless():
        for _ in range(30):
            yield b"&a=" + b"x" * 900_000

    headers = {"Origin": opened.desk.url, "Content-Type": "application/x-www-form-urlencoded"}
    answer = visitor.http.post("/people", content=endless(), headers=headers)
    assert answer.status_code == 413


def test_a_desk_that_may_only_read_says_so(opened):
    with answering(opened.desk.settings, read_only=True) as reading:
        looking = Visitor(reading)
        assert "may only read" in text_of(looking.get("/people"))
        assert "/enter/" not in looking.post("/people", {"person": "Eve"}, status=403).text


def test_a_colleague_enters_by_a_link_under_a_name_of_its_own(opened, visitor):
    shown = visitor.post("/people", {"person": "  Ben   Berg "})
    assert "The journal will record: Ben Berg (invited by Anna)" in text_of(shown)
    link = shown.text.partition("/enter/")[2].partition("<")[0]
    other = client(opened)
    other.post(f"/enter/{link}", headers={"Origin": opened.desk.url})
    assert "Ben Berg (invited by Anna)" in text_of(other.get("/people"))


def test_nobody_can_make_a_link_to_act_as_a_colleague(opened, visitor):
    Visitor(opened, "Bea")
    answer = visitor.post("/people", {"person": "BEA "}, status=400)
    assert "This name is in use" in text_of(answer)
    assert "/enter/" not in answer.text


@pytest.mark.parametrize("name", ["", "  ", "a@b", "a\uff20b", "x" * 61, "a\u202eb", "a\nb\x00"])
def test_a_name_that_could_mislead_the_journal_is_refused(visitor, name):
    visitor.post("/people", {"person": name}, status=400)


def test_who_leaves_is_out(opened, visitor):
    csrf = visitor.session.csrf
    visitor.http.post("/leave", data={"csrf": csrf}, headers={"Origin": opened.desk.url})
    visitor.get("/people", status=401)


def test_the_operator_is_the_person_of_the_desk_while_it_works_for_it():
    before = operator()
    with acting_as("Anna"):
        assert operator().startswith("Anna@")
    assert operator() == before
    assert before.partition("@")[2] == operator().partition("@")[2]


def test_long_work_runs_under_the_name_of_the_person_who_began_it(desk):
    with acting_as("Anna"):
        job = desk.jobs.start("session", "Work", lambda _: operator(), lambda result: f"/{result}")
    desk.jobs.wait()
    assert job.result_url.startswith("/Anna@")


def test_a_note_of_long_work_waits_for_the_page_of_its_result(visitor):
    noted, gate = threading.Event(), threading.Event()
    visit = Visit(visitor.desk, visitor.session)

    def then(_result):
        visit.note("It is done.")
        noted.set()
        gate.wait(60)
        return "/people"

    place = visit.start("Work", lambda _: None, then).url
    assert noted.wait(60)
    assert "It is done." not in visitor.get(place).text
    gate.set()
    assert "It is done." in visitor.wait(visitor.get(place)).text


def test_a_second_click_begins_nothing(desk):
    gate, times = threading.Event(), []

    def work(_progress):
        times.append(1)
        gate.wait(60)

    first = desk.jobs.start("session", "Work", work, lambda _: "/", once="merge-1")
    assert desk.jobs.start("session", "Work", work, lambda _: "/", once="merge-1") is first
    gate.set()
    desk.jobs.wait()
    assert len(times) == 1


def test_work_that_a_colleague_has_begun_is_not_begun_again_and_not_shown(opened):
    gate = threading.Event()
    anna, ben = (
        Visit(opened.desk, opened.desk.sessions.enter(opened.desk.sessions.invite(name)[0])) for name in ("Anna", "Ben")
    )
    place = anna.start("Work", lambda _: gate.wait(60), lambda _: "/", once="merge-2").url
    with pytest.raises(Busy, match="colleague"):
        ben.start("Work", lambda _: gate.wait(60), lambda _: "/", once="merge-2")
    assert ben.job(place.rpartition("/")[2]) is None
    gate.set()
    opened.desk.jobs.wait()


def test_an_error_of_long_work_holds_no_foreign_text(desk):
    def fail(_progress):
        raise ValueError("Erika Mustermann")

    job = desk.jobs.start("session", "Work", fail, lambda _: "/")
    desk.jobs.wait()
    assert "Erika" not in job.problem
    assert "ValueError" in job.problem


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Desk.Example.ORG", "desk.example.org"), ("https://desk.example.org:443/", "desk.example.org"),
        ("http://localhost:80", "localhost"), ("https://desk.example.org:8443", "desk.example.org:8443"),
        ("https://[::1]:443", "[::1]"),
    ],
)  # fmt: skip
def test_behind_a_proxy_the_desk_knows_its_address_as_browsers_write_it(opened, url, host):
    with answering(opened.desk.settings, url=url) as behind:
        assert behind.desk.url == f"{url[: url.index(':')]}://{host}"
        assert behind.link_for(PERSON).startswith(f"{behind.desk.url}/enter/")
        port = behind.listener.getsockname()[1]
        answer = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": host, "Connection": "close"}, trust_env=False)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    "url",
    ["desk.example.org", "ftp://desk.example.org", "https://anna@desk.example.org", "https://desk.example.org/desk",
     "https://desk.example.org?a=b", "https://desk.example.org#a", "https://desk.example.org:port", "https://[::1"],
)  # fmt: skip
def test_an_address_under_which_no_browser_could_reach_the_desk_is_refused(opened, url):
    with pytest.raises(SettingsError, match="--url takes an address"):
        open_desk(opened.desk.settings, url=url)


def test_passwords_never_cross_a_network_as_they_are(opened):
    with pytest.raises(SettingsError, match="Use https"):
        open_desk(opened.desk.settings, host="0.0.0.0", url="http://desk.example.org")  # noqa: S104 - refused


@pytest.mark.parametrize(
    "path",
    ["/statements/{}", "/statements/zip/{}", "/statements/result/{}", "/receivables-file/{}/download",
     "/corrections/{}", "/duplicates/review/{}/1", "/health?checks={}", "/clients?q={}"],
)  # fmt: skip
def test_the_key_of_another_kind_of_value_is_no_error_of_the_desk(opened, visitor, path):
    key = visitor.session.keep(7)
    assert visitor.http.get(path.format(key)).status_code in {200, 400}


def test_a_used_link_leads_who_is_inside_to_the_desk_and_others_to_a_colleague(opened, visitor):
    inside, outside = visitor.get(visitor.link, status=410), client(opened).get(visitor.link)
    assert "Go to the desk" in text_of(inside)
    assert "Ask your colleague for a new one" in text_of(outside)
    assert "Go to the desk" not in text_of(outside)


def test_each_page_that_a_form_leads_to_has_an_address_so_that_back_sends_nothing_again(visitor):
    for path, data, status in (
        ("/people", {"person": "Dora"}, 200), ("/people", {"person": ""}, 400), ("/people", {"csrf": "old"}, 403),
    ):  # fmt: skip
        sent = visitor.http.post(
            path, data={"csrf": visitor.session.csrf} | data, headers={"Origin": visitor.origin}, follow_redirects=False
        )
        assert sent.status_code == 303
        shown = visitor.get(sent.headers["Location"], status=status)
        assert text_of(visitor.get(shown.url.path, status=status)) == text_of(shown)
