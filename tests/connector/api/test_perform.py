"""A call that is left open says whether the server was waited for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from connector.api.api import perform
from schemas.errors import NetworkFailed, NotAuthorised, OutcomeUnknown
from schemas.journal import Call, Edit, Outcome
from tests.noted import Noted


@pytest.mark.parametrize(
    ("found", "waited"),
    [
        (KeyboardInterrupt(), False),
        (NotAuthorised("This token may not read the client.", status=403), False),
        ([("one", Outcome.UNKNOWN)], True),
    ],
    ids=["interrupted", "cannot be asked", "the records do not show it"],
)
def test_only_a_sender_that_has_asked_to_the_end_has_waited(found, waited):
    journal = Noted()

    def send():
        raise NetworkFailed("The answer is lost.")

    def read_back(_answer):
        if isinstance(found, BaseException):
            raise found
        return found

    with pytest.raises((KeyboardInterrupt, OutcomeUnknown)):
        perform(SimpleNamespace(journal=journal), Call("merge", [Edit("one")]), send, read_back)
    assert journal.left == {"call-1": waited}
