"""Suppressed mail, tax data three times a minute, designs filled with clients."""

from __future__ import annotations

import pytest

from connector import clients
from schemas.errors import Invalid, OutcomeUnknown, SettingsError
from schemas.journal import Outcome


def test_a_200_with_an_error_inside_is_an_error(api, journal):
    with pytest.raises(Invalid, match="mail service refuses"):
        clients.reactivate_email(api, "123")
    assert journal.last == [("", Outcome.REFUSED)]
    with pytest.raises(Invalid, match="Bounce ID not found"):
        clients.reactivate_email(api, "an-id-with-dashes")
    with pytest.raises(SettingsError, match="Name the bounce"):
        clients.reactivate_email(api, " ")


def test_tax_data_keeps_to_three_a_minute(api, box):
    """The sandbox counts as the real server does: a fourth within its minute would be refused."""
    ids = [box.make(f"Taxed {n}")["id"] for n in range(5)]
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        box.switch(clock={"advance": seconds})

    box.requests()
    found = list(clients.update_tax_data(api, ids, sleep=sleep))
    assert [one.id for one in found] == ids
    assert waits == [60.0]
    assert len([one for one in box.requests() if "updateTaxData" in one]) == 5


def test_a_minute_that_somebody_else_has_used_up_is_waited_out(api, box, journal):
    one = box.make("Taxed")["id"]
    box.switch(clock={"advance": 61})
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        box.switch(clock={"advance": seconds + 1})

    for _ in range(3):
        box.call("POST", f"/api/v1/clients/{one}/updateTaxData")
    (found,) = clients.update_tax_data(api, [one], sleep=sleep)
    assert (found.id, waits) == (one, [60.0])
    assert [list(outcomes) for outcomes in journal.outcomes.values()] == [
        [(one, Outcome.REFUSED)],
        [(one, Outcome.APPLIED)],
    ]


def test_a_design_is_filled_with_clients_that_are_there(api, box, journal):
    one = box.make("Designed")["id"]
    design = box.call("POST", "/_sandbox/designs", {"name": "Letter"})["id"]
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
    box.switch(faults=[{"on": "POST /clients/bulk", "do": "reset", "after_bytes": 0}])
    with pytest.raises(OutcomeUnknown):
        clients.run_template(api, [one], design)
    box.switch(faults=[])
