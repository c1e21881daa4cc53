"""Who was mailed a statement: those whom the server was asked to mail, and did not refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flows.ask.debtors import mailed_since
from flows.session.ready import make_ready, open_ready
from schemas.errors import Busy
from schemas.journal import Call, Edit, Outcome
from warehouse.control.journal import WarehouseJournal


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Outcome.APPLIED, True), (Outcome.UNKNOWN, True), (None, True), (Outcome.REFUSED, False),
        (Outcome.NOT_APPLIED, False),
    ],
)  # fmt: skip
def test_a_client_whom_the_server_refused_to_mail_was_not_mailed(kept, outcome, counts):
    journal = WarehouseJournal("main", lambda: open_ready(kept), operator="Anna")
    call_id = journal.intend(Call("email_statement", [Edit("c1", {}, {"mailed": True})]))
    if outcome is not None:
        journal.settle(call_id, [("c1", outcome)])
    assert ("c1" in mailed_since(kept, "main", datetime.now(UTC) - timedelta(hours=1))) is counts


def test_before_mails_are_sent_no_older_copy_says_who_was_mailed(settings, tmp_path):
    mine = msgspec.structs.replace(settings, warehouse=str(tmp_path / "w.duckdb"), publish=True, wait=0)
    make_ready(mine)  # with a copy for readers
    journal = WarehouseJournal("main", lambda: open_ready(mine), operator="Anna")
    call_id = journal.intend(Call("email_statement", [Edit("c1", {}, {"mailed": True})]))
    journal.settle(call_id, [("c1", Outcome.APPLIED)])
    ago = datetime.now(UTC) - timedelta(hours=1)
    assert "c1" in mailed_since(mine, "main", ago, certain=True)
    with open_ready(mine):  # as a pull does
        assert mailed_since(mine, "main", ago) == {}
        with pytest.raises(Busy):
            mailed_since(mine, "main", ago, certain=True)
