"""The verbs on real answers: exchanges recorded from an Invoice Ninja 5.10.42, played through the real door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connector import clients
from connector.api.api import Api
from connector.api.verbs import current_company, lister, ping, statics
from connector.door.door import Door, DoorSettings
from connector.door.password import Password
from connector.door.secret import Secret
from schemas.client import Client
from schemas.entities import CLIENTS
from schemas.errors import (
    Invalid,
    NotAuthorised,
    NotFound,
    PasswordRequired,
    RateLimited,
    Rejected,
    ServerUnavailable,
    UnexpectedShape,
)
from schemas.journal import Outcome
from schemas.merge_plan import ALLOWABLE
from tests.cassette import URL, played
from tests.cut import PAIR
from tests.noted import Noted
from tests.scrubbing import SCRUBBED

MOMENT = datetime.fromtimestamp(1795336895, UTC)
"""The newest stamp of the first recorded pull."""


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@contextmanager
def tape(name: str, *, attempts: int = 1, wholly: bool = True) -> Iterator[Played]:
    """The verbs' `Api` to a cassette instead of a server. With `attempts` the door repeats; each answer comes once."""
    clock, reads = Clock(), []

    def read() -> Secret:
        reads.append(1)
        return Secret("any-password")

    settings = DoorSettings(URL, requests_per_second=1e6, attempts=attempts)
    with (
        played(name, wholly=wholly, in_order=attempts > 1),
        Door(settings, Secret("any-token"), clock=clock, sleep=clock.sleep, random=lambda: 0.5) as door,
    ):
        yield Played(Api(door, Noted(), Password(read)), clock, reads)


class Played:
    """What a test asks of a tape: the api, the time that passed, how often the password was read."""

    def __init__(self, api: Api, clock: Clock, reads: list[int]) -> None:
        self.api, self.clock, self.reads = api, clock, reads

    @property
    def door(self) -> Door:
        return self.api.door

    @property
    def noted(self) -> Noted:
        assert isinstance(self.api.journal, Noted)
        return self.api.journal


def test_a_recorded_client_is_shown_with_its_contacts_and_without_their_secrets():
    with tape("show") as recorded:
        client = clients.show(recorded.api, "YRdG6YYKbD")
    assert (client.name, client.number, client.currency_id, client.country_id) == ("Björn 박", "0006", "12", "36")
    assert client.private_notes == "zahlt spät – 30 Tage"
    assert (client.balance, type(client.balance), client.status) == (Decimal(0), Decimal, "active")
    assert [(c.first_name, c.email, c.is_primary) for c in client.contacts] == [
        ("Björn", "bjorn.x871@bjorn.test", True), ("수진", "c1.johnson@bjorn.test", False),
    ]  # fmt: skip
    assert isinstance(client, Client)


def test_a_client_that_is_not_there_is_not_found_although_the_server_says_400():
    with tape("show_not_found") as recorded:
        for unknown in ("zzzzzzzzzz", "1"):
            with pytest.raises(NotFound, match="no such record") as refused:
                clients.show(recorded.api, unknown)
            assert refused.value.status == 400


def test_another_companys_client_is_not_authorised_by_401_and_a_bad_token_by_403():
    with tape("show_forbidden") as recorded, pytest.raises(NotAuthorised, match="may not do this") as refused:
        clients.show(recorded.api, "VolejRejNm")
    assert refused.value.status == 401
    with tape("token_refused") as recorded, pytest.raises(NotAuthorised, match="token is not accepted") as refused:
        recorded.door.get("/clients")
    assert refused.value.status == 403


def test_recorded_pages_are_one_list_in_which_each_client_is_once():
    with tape("list") as recorded:
        listed = list(clients.list_clients(recorded.api, page_size=2))
    assert [client.name for client in listed[:2]] == ["Zenith Motors B.V.", "Atlantic Foods S.A. 11"]
    assert len({client.id for client in listed}) == 6
    assert listed[0].balance == Decimal("2999.32")
    assert recorded.door.requests == 3


def test_a_recorded_page_past_the_end_is_empty_and_knows_the_total():
    with tape("list_past_the_end") as recorded:
        page = lister(recorded.door, CLIENTS)({"per_page": 100, "page": 9, "sort": "id|asc"})
    assert (page.records, page.total) == ([], 248)


def test_a_recorded_list_of_what_was_changed_has_nobody_who_was_changed_before():
    with tape("list_updated") as recorded:
        listed = list(clients.list_clients(recorded.api, clients.Filter(updated_at=1795336895), page_size=3))
    assert [(client.id, client.updated_at >= MOMENT) for client in listed] == [
        ("YRdG6YYKbD", True), ("l9av2Ym8aG", True), ("jnegJx7rdw", True),
    ]  # fmt: skip


def test_an_unknown_include_is_invalid_and_an_unknown_sort_column_a_fault_of_the_server():
    with tape("list_bad_include") as recorded, pytest.raises(Invalid, match="Relation `nope`"):
        recorded.door.get("/clients", {"include": "nope"})
    with tape("list_bad_sort") as recorded, pytest.raises(ServerUnavailable, match="Server Error"):
        recorded.door.get("/clients", {"sort": "nope|asc"})


def test_a_wrong_verb_and_an_unknown_path_are_not_found_by_404():
    with tape("wrong_verb") as recorded:
        for path in ("/clients/Jrb2kgGMdW", "/nothing_here"):
            with pytest.raises(NotFound, match=r"no such path.*Method not supported"):
                recorded.door.post(path, {}, repeatable=False)


def test_html_with_200_is_no_answer_of_invoice_ninja():
    with tape("html_unknown_path") as recorded, pytest.raises(UnexpectedShape, match="HTML instead of JSON"):
        recorded.door.get("/nothing_here")
    with tape("html_not_found") as recorded, pytest.raises(NotFound, match="404 without JSON"):
        recorded.door.get("/clients/zzzzzzzzzz")


def test_a_redirect_is_refused_with_its_target_and_not_followed():
    with tape("html_redirect") as recorded, pytest.raises(Rejected, match=r"302.*the host ninja\.test") as refused:
        recorded.door.post("/clients", {"contacts": [{"email": "x"}]}, repeatable=True)
    assert (refused.value.status, recorded.door.requests) == (302, 1)


def test_a_limit_that_names_no_time_is_waited_for_a_minute():
    with tape("limit_reached", attempts=2) as recorded:
        assert ping(recorded.door) == ("scrubbed", "scrubbed")
    assert 60 <= sum(recorded.clock.slept) < 90
    with (
        tape("limit_reached", wholly=False) as recorded,
        pytest.raises(RateLimited, match="too many requests") as limited,
    ):
        ping(recorded.door)
    assert (limited.value.status, recorded.door.requests) == (429, 1)


def test_a_limit_that_names_its_time_is_waited_for_so_long():
    with tape("limit_reached_html", attempts=2) as recorded:
        ping(recorded.door)
    assert 59 <= sum(recorded.clock.slept) < 59 * 1.3


def test_the_recorded_company_and_its_lists_are_read():
    with tape("companies_current") as recorded:
        company = current_company(recorded.door)
    assert (company.id, len(company.fingerprint)) == ("Wpmbk5ezJn", 32)
    with tape("statics") as recorded:
        lists = statics(recorded.door, ("countries", "currencies", "industries", "sizes", "languages", "timezones"))
    assert {row["id"]: row["code"] for row in lists["currencies"]} == {"1": "USD", "3": "EUR", "11": "INR", "12": "AUD"}
    assert all(len(rows) > 1 for rows in lists.values())


def test_a_recorded_put_is_sent_once_and_read_back():
    with tape("update") as recorded:
        client = clients.update(recorded.api, "YRdG6YYKbD", {"city": "Nieuwegein"})
    assert (client.city, len(client.contacts)) == ("Nieuwegein", 2)
    assert [(c.verb, dict(c.edits[0].before), dict(c.edits[0].after)) for c in recorded.noted.calls] == [
        ("update", {"city": "Rotterdam"}, {"city": "Nieuwegein"})
    ]
    assert recorded.noted.last == [("YRdG6YYKbD", Outcome.APPLIED)]


def test_a_deleted_client_is_not_updated():
    with tape("update_deleted") as recorded, pytest.raises(Invalid, match=r"Record is deleted.*Restore the record"):
        recorded.door.put("/clients/y1aKrYmxeQ", {"name": "x"}, repeatable=False)


def test_a_number_that_was_taken_in_between_is_refused_by_the_server_and_noted_so():
    with tape("create_number_taken") as recorded, pytest.raises(Invalid, match=r"Fields: number\.") as refused:
        clients.create(recorded.api, {"name": "x", "number": "0066"})
    assert refused.value.status == 422
    assert recorded.noted.last == [("", Outcome.REFUSED)]


def test_a_refused_create_names_the_field_and_not_its_value_and_one_without_the_right_says_so():
    with tape("create_invalid") as recorded, pytest.raises(Invalid, match=r"Fields: contacts\.0\.email\.") as refused:
        recorded.door.post("/clients", {"contacts": [{"email": "not-an-email"}]}, repeatable=False)
    assert "not-an-email" not in str(refused.value)
    with tape("create_forbidden") as recorded, pytest.raises(NotAuthorised, match="may not do this"):
        clients.create(recorded.api, {"name": "x"})
    assert recorded.noted.last == [("", Outcome.REFUSED)]


def test_a_recorded_bulk_update_is_sent_once_and_read_back_client_by_client():
    ids = ["l9av2Ym8aG", "jnegJx7rdw"]
    with tape("bulk_update") as recorded:
        results = clients.bulk_update(recorded.api, ids, "custom_value1", "gold")
    assert [(r.client_id, r.outcome) for r in results] == [(one, Outcome.APPLIED) for one in ids]
    assert [dict(edit.before) for edit in recorded.noted.calls[0].edits] == [
        {"custom_value1": None}, {"custom_value1": "silver"},
    ]  # fmt: skip


def test_a_bulk_call_that_the_server_refuses_names_the_field_and_one_that_breaks_it_is_its_fault():
    with tape("bulk_invalid") as recorded:
        for body, field in (({"action": "archive"}, "ids"), ({"action": "bulk_update"}, "column")):
            with pytest.raises(Invalid, match=rf"Fields: {field}\."):
                recorded.door.post("/clients/bulk", body, repeatable=False)
    with tape("bulk_broken") as recorded, pytest.raises(ServerUnavailable, match="Server Error"):
        recorded.door.post("/clients/bulk", {}, repeatable=False)


def test_a_recorded_merge_adds_up_to_the_cent_and_keeps_all_contacts():
    backups = []
    with tape("merge") as recorded:
        survivor = clients.merge(recorded.api, "xkazpBBqdJ", "w9aADQQ9ev", backup=backups.append, allowed=ALLOWABLE)
    assert (survivor.balance, survivor.paid_to_date) == (Decimal("3710.95"), Decimal("1020.18"))
    assert (len(survivor.contacts), recorded.reads) == (4, [1])
    assert recorded.noted.last == [("xkazpBBqdJ", Outcome.APPLIED), ("w9aADQQ9ev", Outcome.APPLIED)]
    assert SCRUBBED not in repr(backups)  # what stands in the place of a secret is in no backup


def test_a_wrong_password_is_dropped_and_the_merge_is_noted_as_refused():
    with tape("merge_password_wrong") as recorded:
        with pytest.raises(PasswordRequired, match="missing or wrong") as refused:
            clients.merge(recorded.api, *PAIR, backup=lambda _: None, allowed=ALLOWABLE)
        assert (refused.value.status, recorded.reads) == (412, [1])
        assert {outcome for _, outcome in recorded.noted.last} == {Outcome.REFUSED}
        recorded.api.password.lend()
    assert recorded.reads == [1, 1]  # it is read anew


def test_the_servers_own_refusals_of_a_merge_are_invalid():
    with tape("merge_refused") as recorded:
        for other, words in (("Jrb2kgGMdW", "same client"), ("zzzzzzzzzz", "Client not found")):
            with pytest.raises(Invalid, match=words):
                recorded.door.post(
                    f"/clients/Jrb2kgGMdW/{other}/merge", repeatable=False, password=recorded.api.password.lend()
                )


def test_a_recorded_purge_is_proved_by_reading_and_another_one_finds_nobody():
    backups = []
    with tape("purge") as recorded:
        client = clients.purge(recorded.api, "y5eVO5JzaE", backup=backups.append)
    assert (client.balance, len(client.contacts), len(backups)) == (Decimal("1767.02"), 2, 1)
    assert recorded.noted.last == [("y5eVO5JzaE", Outcome.APPLIED)]
    with tape("purge_again") as recorded:
        with pytest.raises(NotFound):
            clients.purge(recorded.api, "y5eVO5JzaE", backup=backups.append)
        with pytest.raises(NotFound, match="no such record"):
            recorded.door.post("/clients/y5eVO5JzaE/purge", repeatable=False, password=recorded.api.password.lend())
    assert len(backups) == 1
