"""What stands behind a client: activities, ledger, system logs, its group; typed, and without a secret."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal

import pytest

from connector import clients
from connector.api.api import Api
from connector.clients import INCLUDES
from connector.door.answer import Answer
from sandbox.server import running
from schemas.errors import NotAuthorised, NotFound, SettingsError, UnexpectedShape
from schemas.includes import Activity, Group, LedgerRow
from tests.connector.clients.conftest import Box
from tests.records import client

LOG = {
    "to": "ann@log.test", "response": {"code": 250, "api_token": "canary-token"},
    "raw": json.dumps({"smtp_password": "canary-password", "amount": 1.1}),
}  # fmt: skip


@pytest.fixture
def known(box):
    """A client with a paper, two activities, a log and a group."""
    group = box.call("GET", "/api/v1/group_settings?per_page=1")["data"][0]
    made = box.make("Known", group_settings_id=group["id"])
    box.balances(made, balance="100.500001", paid_to_date="20", documents=True)
    box.call("POST", f"/_sandbox/clients/{made['id']}/system_logs", {"log": LOG})
    box.bulk("archive", made["id"])
    return {**made, "group": group}


def test_one_request_brings_all_that_is_asked_for(box, api, known):
    box.requests()
    found = clients.show_with(api, known["id"])
    assert len(box.requests()) == 1
    assert (found.client.id, found.client.balance) == (known["id"], Decimal("100.500001"))
    assert [one.activity_type_id for one in found.activities] == ["2", "1"]
    assert {type(one) for one in found.activities} == {Activity}
    assert [(one.entity, one.adjustment, one.balance) for one in found.ledger] == [
        ("payment", Decimal(-20), Decimal("100.500001")),
        ("invoice", Decimal("120.500001"), Decimal("120.500001")),
    ]
    assert [(one.event_id, one.category_id, one.type_id) for one in found.system_logs] == [(30, 2, 400)]
    assert found.group_settings == clients.group_of(api, known["id"])
    assert (found.group_settings.id, found.group_settings.name) == (known["group"]["id"], known["group"]["name"])


def test_each_can_be_asked_for_alone(api, known):
    found = clients.show_with(api, known["id"])
    assert clients.activities(api, known["id"]) == found.activities
    assert clients.ledger(api, known["id"]) == found.ledger
    assert clients.system_logs(api, known["id"]) == found.system_logs
    alone = clients.show_with(api, known["id"], ["ledger"])
    assert (alone.ledger, list(alone.activities), alone.group_settings) == (found.ledger, [], None)


def test_a_log_is_decoded_and_its_credentials_are_dropped_at_any_depth(api, known):
    (log,) = clients.system_logs(api, known["id"])
    assert log.log == {
        "to": "ann@log.test",
        "response": {"code": 250},
        "raw": {"amount": Decimal("1.1")},
    }
    assert "ann@log.test" not in repr(log)


def test_ids_of_an_activity_that_point_to_nothing_are_none_and_its_ip_and_token_are_dropped(box, api, known):
    raw = box.call("GET", f"/api/v1/clients/{known['id']}?include=activities")["data"]["activities"]
    found = clients.activities(api, known["id"])
    assert {one["ip"] for one in raw} == {"127.0.0.1"}
    assert {(one.invoice_id, one.contact_id, one.client_id) for one in found} == {(None, None, known["id"])}
    assert not {"ip", "token_id"} & {field.name for field in dataclasses.fields(Activity)}


def test_a_merge_is_a_ledger_row_about_no_paper_and_an_activity_without_the_hash_of_who_is_gone(journal):
    with running(clients=0, behaves_like="5.12") as sandbox:
        box = Box(sandbox)
        survivor, other = box.make("Survivor"), box.make("Gone Ltd (Bern)")
        box.balances(other, balance="7", documents=True)
        box.call("POST", f"/api/v1/clients/{survivor['id']}/{other['id']}/merge")
        api = box.api(journal)
        with api.door:
            found = clients.show_with(api, survivor["id"])
    merge = next(row for row in found.ledger if row.entity is None)
    assert (merge.entity_id, merge.adjustment, merge.activity_id) == (None, 7, 61)
    (told,) = [one for one in found.activities if one.activity_type_id == "151"]
    assert told.notes.strip() == "Gone Ltd (Bern)"
    assert other["client_hash"] not in repr(dataclasses.asdict(found))


def test_a_client_without_a_group_or_with_one_that_is_gone_has_none(box, api):
    assert clients.group_of(api, box.make("Alone")["id"]) is None
    group = box.call("POST", "/api/v1/group_settings", {"name": "Passing"})["data"]
    member = box.make("Member", group_settings_id=group["id"])
    assert clients.group_of(api, member["id"]) == clients.show_with(api, member["id"]).group_settings
    assert isinstance(clients.group_of(api, member["id"]), Group)
    box.call("DELETE", f"/api/v1/group_settings/{group['id']}")
    assert clients.group_of(api, member["id"]) is None


def test_lists_bring_ledgers_logs_and_groups_for_each_client(api, known):
    wanted = clients.Filter(client_id=known["id"])
    (found,) = clients.list_with(api, ["group_settings", "ledger", "system_logs"], wanted)
    assert found == dataclasses.replace(clients.show_with(api, known["id"]), activities=[])
    everybody = list(clients.list_with(api, ["ledger"], page_size=7))
    assert len(everybody) == clients.count_clients(api)
    assert any(isinstance(row, LedgerRow) for one in everybody for row in one.ledger)


@pytest.mark.parametrize(
    ("include", "words"),
    [
        (["invoices"], "invoices"),
        (["contacts"], "contacts"),
        (["Ledger"], "Ledger"),
        ("ledger", "a list"),
        ([], "a list"),
        ({""}, "nothing to include"),
    ],
)
def test_what_the_server_breaks_on_or_ignores_is_refused_before_anything_is_sent(box, api, include, words):
    box.requests()
    for ask in (lambda: clients.show_with(api, "x", include), lambda: clients.list_with(api, include)):
        with pytest.raises(SettingsError, match=words):
            ask()
    assert box.requests() == []


def test_activities_in_a_list_are_refused_as_the_server_sends_none_there(api):
    with pytest.raises(SettingsError, match="client by client"):
        clients.list_with(api, INCLUDES)


def test_who_is_not_there_or_may_not_be_seen_is_told(box, api, journal, known):
    with pytest.raises(NotFound):
        clients.ledger(api, "zzzzzzzzzz")
    other = box.api(journal, token=box.sandbox.other_token)
    with other.door, pytest.raises(NotAuthorised):
        clients.activities(other, known["id"])


def test_a_server_that_does_not_send_what_was_asked_for_is_found_out(api):
    class Silent:
        def get(self, _path, _params):
            return Answer(200, json.dumps({"data": client("a")}, default=float).encode())

    deaf = Api(Silent(), api.journal)
    for ask in (clients.activities, clients.ledger, clients.system_logs):
        with pytest.raises(UnexpectedShape, match=ask.__name__):
            ask(deaf, "a")
    assert clients.group_of(deaf, "a") is None
