"""Statements: a whole PDF or an error with a name."""

from __future__ import annotations

from datetime import date

import pytest

from connector import clients
from schemas.errors import NotAuthorised, NotFound, OutcomeUnknown, SettingsError, SyncError, UnexpectedShape
from schemas.journal import Outcome

YEAR = clients.Period(date(2026, 1, 1), date(2026, 12, 31))


def test_a_statement_is_a_whole_pdf(api, box):
    client = box.make("With a statement")
    box.balances(client, balance=10, documents=True)
    found = clients.client_statement(api, client["id"], YEAR)
    assert found.startswith(b"%PDF-")
    less = clients.Period(YEAR.start, YEAR.end, payments=False, credits=False, aging=False)
    assert len(clients.client_statement(api, client["id"], less)) < len(found)


def test_an_unknown_client_is_not_found_although_the_server_answers_401(api):
    for ask in (clients.client_statement, clients.email_statement):
        with pytest.raises(NotFound, match="no client zzz"):
            ask(api, "zzz", YEAR)
        with pytest.raises(SettingsError, match="Name the client"):
            ask(api, " ", YEAR)


def test_a_token_that_is_not_accepted_is_no_unknown_client(other_api, box):
    with pytest.raises(NotAuthorised, match="not accepted"):
        clients.client_statement(other_api(token="x" * 64), box.make("Anyone")["id"], YEAR)


def test_a_period_that_ends_before_it_begins_and_an_unknown_status_are_refused():
    with pytest.raises(SettingsError, match="begin after its end"):
        clients.Period(date(2026, 2, 1), date(2026, 1, 1))
    with pytest.raises(SettingsError, match="all, paid, unpaid"):
        clients.Period(YEAR.start, YEAR.end, status="late")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"do": "truncate", "times": 99}, (UnexpectedShape,)),
        ({"do": "empty", "times": 99}, (UnexpectedShape,)),
        ({"do": "html", "status": 200, "times": 99}, (UnexpectedShape,)),
        ({"do": "status", "status": 500, "times": 99}, (SyncError,)),
    ],
)
def test_what_is_no_whole_pdf_is_an_error(api, box, fault, error):
    client = box.make("Broken")
    box.switch(faults=[{"on": "POST /client_statement", **fault}])
    with pytest.raises(error):
        clients.client_statement(api, client["id"], YEAR)
    box.switch(faults=[])


def test_a_mailed_statement_is_in_the_journal_and_never_mailed_twice(api, box, journal):
    client = box.make("Mailed")
    clients.email_statement(api, client["id"], YEAR)
    assert journal.last == [(client["id"], Outcome.APPLIED)]
    box.switch(faults=[{"on": "POST /client_statement", "do": "reset", "after_bytes": 0}])
    box.requests()
    with pytest.raises(OutcomeUnknown):
        clients.email_statement(api, client["id"], YEAR)
    assert len([one for one in box.requests() if "client_statement" in one]) == 1
    box.switch(faults=[])
