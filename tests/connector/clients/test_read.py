"""Reading one client: in any state, with exact money, without a secret; a blank one; who may not is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector import clients
from sandbox.server import running
from schemas.client import CLIENTS, Client, as_dict
from schemas.errors import NotAuthorised, NotFound, Rejected, SettingsError
from tests.connector.clients.conftest import Box


@pytest.fixture
def viewer(box, journal):
    opened = box.api(journal, token=box.sandbox.viewer_token)
    with opened.door:
        yield opened


@pytest.mark.parametrize("read", [clients.show, clients.edit, clients.find])
def test_a_client_is_read_in_any_state_with_exact_money_and_typed_values(box, api, read):
    made = box.make("Read", contacts=[{"first_name": "Ann", "email": "ann@read.test"}], number=f"R-{read.__name__}")
    box.balances(made, balance="12345678.100001")
    found = read(api, made["id"])
    assert isinstance(found, Client)
    assert (found.balance, found.name, found.city) == (Decimal("12345678.100001"), "Read", None)
    assert [contact.email for contact in found.contacts] == ["ann@read.test"]
    assert found.created_at.tzinfo is not None
    for action, status in (("archive", "archived"), ("restore", "active"), ("delete", "deleted")):
        box.bulk(action, made["id"])
        assert read(api, made["id"]).status == status


@pytest.mark.parametrize("read", [clients.show, clients.edit])
def test_who_is_not_there_is_said_not_to_be(box, api, read):
    gone = box.make("Gone")["id"]
    box.call("POST", f"/api/v1/clients/{gone}/purge")
    for missing in (gone, "zzzzzzzzzz"):
        with pytest.raises(NotFound):
            read(api, missing)
        assert clients.find(api, missing) is None


def test_an_id_that_could_lead_elsewhere_is_not_sent(box, api):
    box.requests()
    for read in (clients.show, clients.edit):
        with pytest.raises(Rejected, match="nothing was sent"):
            read(api, "../users")
    with pytest.raises(SettingsError):
        clients.find(api, "")
    assert box.requests() == []


def test_another_companys_client_is_hidden(box, api, journal):
    mine = box.make("Mine")["id"]
    other = box.api(journal, token=box.sandbox.other_token)
    with other.door:
        with pytest.raises(NotAuthorised):
            clients.show(other, mine)
        assert clients.find(other, mine) is None


def test_who_may_look_and_not_touch_sees_a_client_and_not_its_edit(box, viewer):
    made = box.make("Looked at")
    box.balances(made, balance="5")
    assert clients.show(viewer, made["id"]).balance == 5
    with pytest.raises(NotAuthorised):
        clients.edit(viewer, made["id"])
    with pytest.raises(NotAuthorised):
        clients.blank(viewer)


def test_a_server_that_leaves_the_money_out_gives_no_client_with_zeros(journal):
    with running(clients=1, seed=5, behaves_like="5.12") as sandbox:
        box = Box(sandbox)
        made = box.make("Hidden")
        box.balances(made, balance="5")
        viewer = box.api(journal, token=sandbox.viewer_token)
        with viewer.door, pytest.raises(NotAuthorised, match="money"):
            clients.show(viewer, made["id"])


def test_a_blank_client_has_every_column_but_an_id_and_makes_nobody(box, api, journal):
    before = clients.count_clients(api)
    found = clients.blank(api)
    assert set(found) == {f.name for f in CLIENTS.fields} - {"id"}
    assert (found["balance"], found["name"], found["number"], found["created_at"]) == (0, None, None, None)
    assert found["settings"] == {"entity": "App\\Models\\Client", "industry_id": "", "size_id": ""}
    assert (clients.count_clients(api), journal.calls) == (before, [])


def test_no_secret_of_a_client_is_in_its_typed_value(box, api, as_it_is):
    filed = box.make("Filed")["id"]
    api.door.upload(f"/clients/{filed}/upload", "paper.txt", b"paper", repeatable=False)
    everybody = list(clients.list_clients(api))
    assert any(found.documents for found in everybody)
    for found in everybody:
        record = as_it_is(found.id)
        secrets = [record["client_hash"]]
        secrets += [contact[key] for contact in record["contacts"] for key in ("contact_key", "link")]
        secrets += [one[key] for one in record["gateway_tokens"] for key in ("token", "gateway_customer_reference")]
        secrets += [document[key] for document in record["documents"] for key in ("hash", "url", "link")]
        for shown in (as_dict(found), as_dict(clients.show(api, found.id))):
            assert [secret for secret in secrets if secret in repr(shown)] == []
    assert any(as_it_is(found.id)["gateway_tokens"] for found in everybody)


def test_what_is_printed_of_a_client_names_nobody(api):
    for found in clients.list_clients(api):
        told = [
            found.name,
            found.display_name,
            *(c.email for c in found.contacts),
            *(c.last_name for c in found.contacts),
        ]
        assert [one for one in told if one and len(one) > 3 and one in repr(found)] == []


def test_reading_writes_nothing_and_notes_nothing(box, api, journal):
    box.requests()
    first = next(clients.list_clients(api))
    clients.show(api, first.id)
    clients.edit(api, first.id)
    clients.blank(api)
    clients.count_clients(api)
    assert {line.split()[0] for line in box.requests()} == {"GET"}
    assert journal.calls == []
