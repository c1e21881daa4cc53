"""Statements at the desk: the debtors of the server, looked at, fetched, and mailed once."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from flows.ask.debtors import mailed_since
from flows.desk.pages import statement_mails, statements
from tests.engines import address
from tests.flows.conftest import pull_from
from tests.flows.desk.conftest import Visitor, answering, text_of

FORM = {"least": "", "currency": "", "start": "2026-01-01", "end": "2026-12-31", "payments": "1", "aging": "1"}
NOBODY = "<b>No\u202eAddress</b>"


class Desk:
    """A person at a desk before a pulled server."""

    def __init__(self, server, opened, settings):
        self.server, self.visitor, self.settings = server, Visitor(opened), settings

    def debtors(self, least=0):
        """Who owes, by the server."""
        return {
            key: Decimal(str(c["balance"]))
            for key, c in self.server.clients(status="active,archived").items()
            if Decimal(str(c["balance"])) > 0 and Decimal(str(c["balance"])) >= least
        }

    def reached(self, least=0):
        """Those of them with an e-mail address, by the server."""
        clients = self.server.clients(status="active,archived")
        return {key for key in self.debtors(least) if any(c["email"].strip() for c in clients[key]["contacts"])}

    def choose(self, **more):
        """Choose debtors; return the list's page and its key."""
        page = self.visitor.post("/statements", FORM | more)
        return page, page.url.path.rpartition("/")[2]

    def go(self, key, page, go, *, without=()):
        """Press a button of the list, with the ticks of its page but some."""
        shown = re.findall(r'name="shown" value="(\w+)"', page.text)
        form = {"shown": shown, "chosen": [one for one in shown if one not in without], "go": go}
        return self.visitor.post(f"/statements/{key}", form)

    def send(self, key, page, number):
        """Answer a page that asks for the number of mails."""
        return self.visitor.post(f"/statements/{key}/mail", self.answer_to(page) | {"number": str(number)})

    def answer_to(self, page):
        """The question that a page asks, as its form has it."""
        return {"asked": re.search(r'name="asked" value="([\w-]+)"', page.text).group(1)}

    def mails(self):
        """How many mails the server was asked for since the last call of this."""
        asked = [
            request
            for request in self.server.call("GET", "/_sandbox/requests")
            if "client_statement" in request["path"]
        ]
        self.server.call("DELETE", "/_sandbox/requests")
        return len(asked)


@pytest.fixture
def at(settings, server, place, monkeypatch, tmp_path):
    """A desk on each engine; one debtor has no address."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    made = server.call("POST", "/api/v1/clients", {"name": NOBODY, "contacts": [{"first_name": "X"}]})["data"]
    server.call("POST", f"/_sandbox/clients/{made['id']}/balances", {"balance": "77.50"})
    prefect = msgspec.structs.replace(settings.prefect, statements_folder=str(tmp_path / "statements"))
    told = msgspec.structs.replace(settings, warehouse=address(place), prefect=prefect)
    pull_from(server, told)
    with answering(told) as opened:
        yield Desk(server, opened, told)


def test_the_list_has_the_debtors_of_the_server_and_those_without_an_address_apart(at, monkeypatch):
    monkeypatch.setattr(statements, "PAGE", 1000)
    page, _ = at.choose()
    owed = at.debtors()
    shown = re.findall(r'name="shown" value="(\w+)"', page.text)
    assert set(shown) == set(owed)
    assert len(shown) == len(owed) > 10
    head, _, tail = page.text.partition("Without an e-mail address:")
    assert "77.50" in tail
    assert "77.50" not in head.partition("With an e-mail address:")[2]
    assert NOBODY not in page.text
    assert "no address" in text_of(page)
    least = sorted(owed.values())[len(owed) // 2]
    fewer, _ = at.choose(least=f"{least:f}")
    assert set(re.findall(r'name="shown" value="(\w+)"', fewer.text)) == set(at.debtors(least))


def test_ticks_are_kept_from_page_to_page(at, monkeypatch):
    monkeypatch.setattr(statements, "PAGE", 5)
    page, key = at.choose()
    first = re.findall(r'name="shown" value="(\w+)"', page.text)[0]
    second = at.go(key, page, "page 2", without=[first])
    assert first not in second.text
    back = at.go(key, second, "page 1")
    assert f'value="{first}">' in back.text.replace(" checked", "")
    assert f'value="{first}" checked' not in back.text
    assert "1 client left out" in text_of(back)
    again = at.go(key, back, "page 1")
    assert "left out" not in text_of(again).partition("What to do")[2]


def test_one_statement_is_shown_as_the_server_draws_it(at):
    page, key = at.choose()
    client = re.findall(r'name="shown" value="(\w+)"', page.text)[0]
    answer = at.visitor.get(f"/statements/preview/{key}/{client}")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.content.startswith(b"%PDF-")
    at.visitor.get(f"/statements/preview/{key}/zzzzzzzzzz", status=502)
    at.visitor.get(f"/statements/preview/nonsense/{client}", status=400)


def test_all_are_fetched_as_a_zip_but_who_was_left_out_or_has_paid_since(at):
    page, key = at.choose()
    out, paid, *_ = re.findall(r'name="shown" value="(\w+)"', page.text)
    at.server.call("POST", f"/_sandbox/clients/{paid}/balances", {"balance": "0"})
    result = at.go(key, page, "zip", without=[out])
    wanted = set(at.debtors()) - {out}
    assert f"Saved: {len(wanted)} of {len(wanted) + 1} statements" in text_of(result)
    assert "owes nothing any more" in text_of(result)
    link = re.search(r'href="(/statements/zip/[\w-]+)"', result.text).group(1)
    with zipfile.ZipFile(io.BytesIO(at.visitor.get(link).content)) as archive:
        names = archive.namelist()
        assert all(archive.read(name).startswith(b"%PDF-") for name in names)
    assert {next(key for key in wanted if f"_{key}_" in name) for name in names} == wanted
    assert len(names) == len(wanted)


def test_a_zip_that_would_be_too_large_is_refused(at, monkeypatch):
    monkeypatch.setattr(statements, "MOST_IN_ZIP", 3)
    page, key = at.choose()
    shown = re.findall(r'name="shown" value="(\w+)"', page.text)
    answer = at.visitor.post(f"/statements/{key}", {"shown": shown, "chosen": shown, "go": "zip"}, status=400)
    assert "least amount" in text_of(answer)


def test_the_folder_gets_the_files_of_the_command(at, tmp_path):
    page, key = at.choose(least="500")
    at.go(key, page, "folder")
    result = at.visitor.post(f"/statements/{key}/folder", {"again": "1"})
    owed = at.debtors(500)
    assert f"Saved: {len(owed)} of {len(owed)} statements" in text_of(result)
    assert len(list((tmp_path / "statements").iterdir())) == len(owed) > 1


def test_mails_need_their_number_and_nobody_is_mailed_twice(at):
    page, key = at.choose(least="500")
    out = re.findall(r'name="shown" value="(\w+)"', page.text)[0]
    confirm = at.go(key, page, "mail", without=[out])
    number = int(re.search(r"Type the number of mails: (\d+)", confirm.text).group(1))
    assert number == len(at.reached(500)) - 1 > 1
    at.mails()
    for wrong in ("", str(number + 1), f"-{number}", "yes"):
        answer = at.send(key, confirm, wrong)
        assert "Type the number of mails to send them." in text_of(answer)
    assert at.mails() == 0
    result = at.send(key, confirm, number)
    assert f"Requested by mail: {number} of {number} statements" in text_of(result)
    assert at.mails() == number
    answer = at.send(key, confirm, number)
    assert "There is nobody to mail." in text_of(answer)
    page, key = at.choose(least="500")
    assert page.text.count('<span class="badge">mailed</span>') == number
    confirm = at.go(key, page, "mail")
    assert "Type the number of mails: 1" in text_of(confirm)
    assert at.mails() == 0


def test_two_lists_of_one_company_are_never_mailed_at_once_and_none_is_dropped_in_silence(at, monkeypatch):
    gate, mailed = threading.Event(), statement_mails.mail
    monkeypatch.setattr(statement_mails, "mail", lambda *args, **how: gate.wait(60) and mailed(*args, **how))
    page, key = at.choose(least="500")
    first, form = len(at.reached(500)), at.answer_to(at.go(key, page, "mail")) | {"csrf": at.visitor.session.csrf}
    headers = {"Origin": at.visitor.origin}
    at.mails()
    begun = at.visitor.http.post(f"/statements/{key}/mail", data=form | {"number": str(first)}, headers=headers)
    again = at.visitor.http.post(f"/statements/{key}/mail", data=form | {"number": str(first)}, headers=headers)
    assert again.url == begun.url
    page, key = at.choose(least="77.5")
    every, confirm = len(at.reached(Decimal("77.5"))), at.go(key, page, "mail")
    refused = at.visitor.post(f"/statements/{key}/mail", at.answer_to(confirm) | {"number": str(every)}, status=503)
    assert f"Other work of this kind is under way: Mail {first} statements" in text_of(refused)
    gate.set()
    at.visitor.wait(begun)
    assert at.mails() == first
    result = at.send(key, confirm, every)
    assert f"Requested by mail: {every - first} of {every} statements" in text_of(result)
    assert at.mails() == every - first


def newcomer(at, balance="5000"):
    """A client with an address who owes, and whom no list has shown."""
    contacts = [{"first_name": "New", "email": "new@debtor.test"}]
    made = at.server.call("POST", "/api/v1/clients", {"name": "New Debtor", "contacts": contacts})["data"]
    at.server.call("POST", f"/_sandbox/clients/{made['id']}/balances", {"balance": balance})
    return made["id"]


def test_who_owes_since_the_question_is_not_mailed_in_the_place_of_one_who_has_paid(at):
    page, key = at.choose(least="500")
    confirm = at.go(key, page, "mail")
    number, reached = int(re.search(r"number of mails: (\d+)", confirm.text).group(1)), at.reached(500)
    assert number == len(reached) > 2
    at.server.call("POST", f"/_sandbox/clients/{min(reached)}/balances", {"balance": "0"})
    new = newcomer(at)
    pull_from(at.server, at.settings)
    at.mails()
    result = at.send(key, confirm, number)
    assert f"Requested by mail: {number - 1} of {number} statements" in text_of(result)
    assert at.mails() == number - 1
    assert new not in mailed_since(at.settings, "main", datetime.now(UTC) - timedelta(hours=1))


def test_who_was_not_on_the_list_is_not_asked_about(at):
    page, key = at.choose(least="500")
    number = len(at.reached(500))
    newcomer(at)
    pull_from(at.server, at.settings)
    confirm = at.go(key, page, "mail")
    assert f"Type the number of mails: {number} " in text_of(confirm)
    assert "New since the list was shown, so without a mail: 1 client" in text_of(confirm)


def test_a_question_about_another_list_sends_nothing(at):
    page, one = at.choose(least="500")
    confirm = at.go(one, page, "mail")
    _, other = at.choose(least="1000")
    at.mails()
    answer = at.send(other, confirm, len(at.reached(500)))
    assert "Type the number of mails to send them." in text_of(answer)
    assert at.mails() == 0


def test_a_list_may_be_empty_or_hold_only_those_without_an_address(at):
    page, _ = at.choose(least="99999999")
    assert "Nobody owes that much." in text_of(page)
    silent = next(key for key, name in at.server.clients(name="Address").items() if "Address" in name["name"])
    at.server.call("POST", f"/_sandbox/clients/{silent}/balances", {"balance": "9000000"})
    pull_from(at.server, at.settings)
    page, _ = at.choose(least="8000000")
    assert re.findall(r'name="shown" value="(\w+)"', page.text) == [silent]
    assert "0 mails can be sent" in text_of(page)


def test_without_an_address_there_is_no_mail(at):
    _, key = at.choose(least="77.5")
    reached, debtors = at.reached(Decimal("77.5")), at.debtors(Decimal("77.5"))
    confirm = at.visitor.get(f"/statements/{key}/mail")
    assert f"Type the number of mails: {len(reached)} " in text_of(confirm)
    assert f"Without an e-mail address, so without a mail: {len(debtors) - len(reached)} clients" in text_of(confirm)
    at.mails()
    at.send(key, confirm, len(reached))
    assert at.mails() == len(reached) < len(debtors)


def test_a_desk_that_may_only_read_fetches_but_mails_nothing(at):
    with answering(at.settings, read_only=True) as opened:
        reader = Desk(at.server, opened, at.settings)
        page, key = reader.choose(least="500")
        assert "Mail …" not in page.text
        reader.mails()
        for path in ("mail", "folder"):
            reader.visitor.post(f"/statements/{key}/{path}", {"number": "1"}, status=403)
        assert reader.mails() == 0
        assert "Saved:" in text_of(reader.go(key, page, "zip"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"least": "1,5"}, "least amount"), ({"start": "soon"}, "not a day"), ({"currency": "XXX"}, "Nobody owes"),
        ({"start": "2026-12-31", "end": "2026-01-01"}, "begin after its end"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_said(at, more, words):
    assert words in text_of(at.visitor.post("/statements", FORM | more, status=400))
