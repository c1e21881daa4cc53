"""Suppressed mail, tax data three times a minute, designs filled with clients."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import clients
from connector.clients.tax import WINDOW, Minute, minute_of
from schemas.errors import (
    Invalid,
    NetworkFailed,
    OutcomeUnknown,
    RateLimited,
    ServerUnavailable,
    SettingsError,
    UnexpectedShape,
)
from schemas.journal import Outcome


class Clock:
    """Time that passes only while somebody sleeps; the sandbox's along with it, where there is one."""

    def __init__(self, box=None):
        self.now, self.slept, self.box = 0.0, [], box

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        if self.box:
            self.box.switch(clock={"advance": seconds})

    def minute(self):
        return Minute(clock=self, sleep=self.sleep)


def says(text):
    """A wire to a server that answers everything so."""
    return httpx.MockTransport(lambda _: httpx.Response(200, text=text, headers={"content-type": "application/json"}))


# ---- suppressed mail ------------------------------------------------------------------------------------------------


def test_a_200_with_an_error_inside_is_an_error(api, journal):
    with pytest.raises(Invalid, match="mail service refuses") as refusal:
        clients.reactivate_email(api, "123")
    assert refusal.value.status == 400
    assert journal.last == [("", Outcome.REFUSED)]
    with pytest.raises(Invalid, match="Bounce ID not found"):
        clients.reactivate_email(api, "an-id-with-dashes")


@pytest.mark.parametrize("bounce", ["", " ", "../clients", "1/2", "1?x", "-1", "é"])
def test_what_is_no_id_of_a_bounce_is_not_sent(api, box, journal, bounce):
    box.requests()
    with pytest.raises(SettingsError, match="name the bounce"):
        clients.reactivate_email(api, bounce)
    assert (box.requests(), journal.calls) == ([], [])


def test_mail_that_is_let_through_again_is_told_without_its_address(other_api, journal):
    api = other_api(transport=says('{"message": "Reactivated anna@example.com"}'))
    assert clients.reactivate_email(api, "12") == "Reactivated ***"
    assert journal.last == [("", Outcome.APPLIED)]
    refusing = other_api(transport=says('{"message": "No such recipient anna@example.com", "0": "422"}'))
    with pytest.raises(Invalid) as refusal:
        clients.reactivate_email(refusing, "12")
    assert refusal.value.status == 422
    assert "anna" not in str(refusal.value) + "".join(journal.messages.values())


# ---- tax data -------------------------------------------------------------------------------------------------------


def test_tax_data_keeps_to_three_a_minute(api, box):
    """The sandbox counts as the real server does: a fourth within its minute would be refused."""
    ids = [box.make(f"Taxed {n}")["id"] for n in range(5)]
    clock = Clock(box)
    box.switch(clock={"advance": WINDOW})
    box.requests()
    found = list(clients.update_tax_data(api, [*ids, ids[0]], minute=clock.minute()))
    assert [one.id for one in found] == ids
    assert clock.slept == [WINDOW]
    assert len([one for one in box.requests() if "updateTaxData" in one]) == 5


def test_a_minute_that_somebody_else_has_used_up_is_waited_out(api, box, journal):
    one = box.make("Taxed")["id"]
    clock = Clock(box)
    box.switch(clock={"advance": WINDOW})
    for _ in range(3):
        box.call("POST", f"/api/v1/clients/{one}/updateTaxData")
    (found,) = clients.update_tax_data(api, [one], minute=clock.minute())
    assert (found.id, clock.slept) == (one, [WINDOW])
    assert [list(outcomes) for outcomes in journal.outcomes.values()] == [
        [(one, Outcome.NOT_APPLIED)],
        [(one, Outcome.APPLIED)],
    ]


def test_who_is_refused_three_times_is_told_so(api, box, journal):
    one = box.make("Taxed")["id"]
    clock = Clock()
    box.switch(faults=[{"on": "POST /clients/*/updateTaxData", "do": "status", "status": 429, "times": 9}])
    with pytest.raises(RateLimited):
        list(clients.update_tax_data(api, [one], minute=clock.minute()))
    box.switch(faults=[])
    assert clock.slept == [WINDOW, WINDOW]
    assert journal.open == []


def test_a_client_that_is_none_is_told_before_any_is_looked_up(api, box, journal):
    one = box.make("Taxed")["id"]
    for ids, words in (([one, "zzzzzzzzzz"], "zzzzzzzzzz"), ([], "name a client")):
        with pytest.raises(SettingsError, match=words):
            clients.update_tax_data(api, ids)
    assert journal.calls == []


def test_all_who_ask_one_server_share_its_minute():
    assert minute_of("https://a.example") is minute_of("https://a.example")
    assert minute_of("https://a.example") is not minute_of("https://b.example")


@given(st.lists(st.floats(0, 100), max_size=20))
def test_in_no_minute_there_are_more_than_three(pauses):
    clock = Clock()
    minute, taken = clock.minute(), []
    for pause in pauses:
        clock.now += pause
        minute.take()
        taken.append(clock.now)
    assert all(later - earlier > 60 for earlier, later in zip(taken, taken[3:], strict=False))


# ---- designs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def design(box):
    return box.call("POST", "/_sandbox/designs", {"name": "Letter"})["id"]


def test_a_design_is_filled_with_clients_that_are_there(api, box, journal, design):
    one = box.make("Designed")["id"]
    assert clients.run_template(api, [one, one], design)
    assert journal.last == [(one, Outcome.APPLIED)]
    assert clients.run_template(api, [one], design, send_email=True) == "email sent"
    for ids, template, words in (
        ([one, "zzz"], design, "zzz"),
        ([], design, "name a template"),
        ([one], " ", "name a template"),
    ):
        with pytest.raises(SettingsError, match=words):
            clients.run_template(api, ids, template)
    assert len(journal.calls) == 2


def test_an_unknown_design_leaves_nothing_open(api, box, journal):
    one = box.make("Designed")["id"]
    with pytest.raises(ServerUnavailable, match="Is zzz the id of a design"):
        clients.run_template(api, [one], "zzz")
    assert journal.last == [(one, Outcome.NOT_APPLIED)]


def test_what_is_mailed_is_unknown_after_a_lost_answer_and_a_pdf_is_none(api, box, journal, design):
    one = box.make("Designed")["id"]
    box.switch(faults=[{"on": "POST /clients/bulk", "do": "reset", "after_bytes": 0, "times": 2}])
    with pytest.raises(OutcomeUnknown):
        clients.run_template(api, [one], design, send_email=True)
    assert [call.verb for call in journal.open] == ["template"]
    with pytest.raises(NetworkFailed, match="can be done again"):
        clients.run_template(api, [one], design)
    box.switch(faults=[{"on": "POST /clients/bulk", "do": "empty"}])
    with pytest.raises(UnexpectedShape, match="can be done again"):
        clients.run_template(api, [one], design)
    box.switch(faults=[])
