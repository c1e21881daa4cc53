"""A purge: nothing is sent before the backup is safe, it is sent once, and what became of it is read back."""

from __future__ import annotations

import json
import stat

import pytest

from connector import clients
from connector.api.api import Api
from connector.door.password import Password, no_password
from schemas.errors import NotAuthorised, NotFound, NotVerified, OutcomeUnknown, PasswordRequired, SettingsError
from schemas.journal import Outcome
from tests.meanwhile import Meanwhile

PURGE = "POST /clients/*/purge"


@pytest.fixture
def client(box):
    made = box.make("Purged & Co", contacts=[{"first_name": "Ann", "email": "ann@one.test"}], private_notes="late")
    box.balances(made, balance="12.5", documents=True)
    return box.show(made["id"])


@pytest.fixture
def kept():
    return []


@pytest.fixture(autouse=True)
def as_it_was(box):
    yield
    box.switch(faults=[], poison=[])


def posts(box):
    return [one for one in box.requests() if one.startswith("POST")]


def is_there(box, client):
    return any(one["id"] == client["id"] for one in box.call("GET", "/api/v1/clients?per_page=5000")["data"])


def test_a_purged_client_is_gone_and_its_backup_holds_all_but_its_secrets(box, api, client, journal, tmp_path):
    file = tmp_path / "backup.json"
    assert clients.purge(api, client["id"], backup=file).name == "Purged & Co"
    assert not is_there(box, client)
    (edit,) = journal.calls[0].edits
    assert (edit.after, journal.last) == ({"gone": True}, [(client["id"], Outcome.APPLIED)])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (saved,) = json.loads(file.read_bytes())["clients"]
    assert (saved["name"], saved["private_notes"], saved["balance"]) == ("Purged & Co", "late", 12.5)
    assert saved["contacts"][0]["email"] == "ann@one.test"
    assert saved["ledger"][0]["adjustment"] == 12.5
    assert saved["activities"]
    (contact,) = client["contacts"]
    for secret in (client["client_hash"], contact["contact_key"], contact["link"]):
        assert secret not in file.read_text()


def test_nothing_is_sent_where_the_backup_cannot_be_written(box, api, client, journal, tmp_path):
    file = tmp_path / "there.json"
    file.write_text("another backup")
    (tmp_path / "link.json").symlink_to(tmp_path / "elsewhere.json")
    for wrong in (file, tmp_path / "nowhere" / "x.json", tmp_path, tmp_path / "link.json"):
        with pytest.raises(SettingsError, match="nothing was sent"):
            clients.purge(api, client["id"], backup=wrong)

    def fail(_saved):
        raise SettingsError("No room.")

    with pytest.raises(SettingsError, match="No room"):
        clients.purge(api, client["id"], backup=fail)
    assert file.read_text() == "another backup"
    assert (journal.calls, is_there(box, client)) == ([], True)


def test_a_backup_is_made_of_what_can_be_read(box, api, client, kept):
    box.switch(faults=[{"do": "empty", "on": f"GET /clients/{client['id']}", "nth": 2}])  # the first include
    clients.purge(api, client["id"], backup=kept.append)
    (saved,) = kept[0]["clients"]
    assert "ledger" not in saved
    assert saved["activities"]


def test_a_second_purge_says_that_it_is_gone(api, client, kept):
    clients.purge(api, client["id"], backup=kept.append)
    with pytest.raises(NotFound):
        clients.purge(api, client["id"], backup=kept.append)
    assert len(kept) == 1


def test_without_a_password_or_with_a_wrong_one_nothing_is_gone(box, api, other_api, client, journal, kept):
    box.call("POST", "/_sandbox/forget_passwords", {})
    with pytest.raises(SettingsError, match="NINJA_SYNC_PASSWORD"):
        clients.purge(Api(api.door, journal, Password(no_password)), client["id"], backup=kept.append)
    assert (kept, journal.calls) == ([], [])
    wrong = other_api(password="wrong")
    with pytest.raises(PasswordRequired):
        clients.purge(wrong, client["id"], backup=kept.append)
    assert journal.last == [(client["id"], Outcome.REFUSED)]
    assert is_there(box, client)


def test_who_is_no_admin_is_refused(box, other_api, client, journal, kept):
    user = box.call("POST", "/_sandbox/users", {"permissions": "edit_all"})
    with pytest.raises(NotAuthorised):
        clients.purge(other_api(token=user["token"], password=user["password"]), client["id"], backup=kept.append)
    assert (journal.last, is_there(box, client)) == ([(client["id"], Outcome.REFUSED)], True)


@pytest.mark.parametrize("wrong", ["create", "WrongIdxxx", "1"])
def test_what_is_no_client_is_refused(box, api, kept, wrong):
    box.requests()
    with pytest.raises((SettingsError, NotFound)):
        clients.purge(api, wrong, backup=kept.append)
    assert posts(box) == []


def test_a_lost_answer_of_a_purge_that_was_done_is_a_purge(box, api, client, journal, kept):
    box.switch(faults=[{"do": "reset", "on": PURGE, "after_bytes": 0}])
    clients.purge(api, client["id"], backup=kept.append)
    assert journal.last == [(client["id"], Outcome.APPLIED)]


@pytest.mark.parametrize(("do", "waits"), [("reset", True), ("status", False)])
def test_a_purge_that_was_not_done_is_an_error_and_sent_once(box, api, client, journal, kept, do, waits):
    box.switch(faults=[{"do": do, "on": PURGE, "every": True}])
    box.requests()
    slept = []
    with pytest.raises(Exception, match="has changed nothing") as problem:
        clients.purge(api, client["id"], backup=kept.append, sleep=slept.append)
    assert problem.type is not OutcomeUnknown
    assert len(posts(box)) == 1
    assert journal.last == [(client["id"], Outcome.NOT_APPLIED)]
    assert (sum(slept) >= 60, len(slept) < 20) == (waits, True)


def test_a_purge_that_the_server_finishes_later_is_waited_for(box, api, client, journal, kept):
    box.switch(faults=[{"do": "reset", "on": PURGE}])

    def purged_meanwhile(_seconds):
        if is_there(box, client):
            box.call("POST", f"/api/v1/clients/{client['id']}/purge")

    clients.purge(api, client["id"], backup=kept.append, sleep=purged_meanwhile)
    assert journal.last == [(client["id"], Outcome.APPLIED)]


def test_a_purge_that_broke_off_half_way_says_so_and_the_next_one_finishes_it(box, api, client, journal, kept):
    box.switch(faults=[{"do": "reset", "on": PURGE}])

    def lose_a_contact(_seconds):
        box.call("PUT", f"/api/v1/clients/{client['id']}", {"contacts": [], "settings": client["settings"]})

    with pytest.raises(NotVerified, match="less in it: purge it again"):
        clients.purge(api, client["id"], backup=kept.append, sleep=lose_a_contact)
    assert journal.last == [(client["id"], Outcome.CONFLICT)]
    clients.purge(api, client["id"], backup=kept.append)
    assert not is_there(box, client)


def test_a_purge_that_somebody_else_did_in_the_same_moment_is_done(box, other_api, client, journal, kept):
    path = f"/api/v1/clients/{client['id']}/purge"
    api = other_api(transport=Meanwhile(f"POST {path}", lambda: box.call("POST", path)))
    clients.purge(api, client["id"], backup=kept.append)
    assert journal.last == [(client["id"], Outcome.APPLIED)]


def test_an_answer_of_200_is_no_proof(box, api, client, journal, kept):
    box.switch(faults=[{"do": "empty", "on": PURGE}])
    with pytest.raises(NotVerified, match="is unchanged"):
        clients.purge(api, client["id"], backup=kept.append)
    assert journal.last == [(client["id"], Outcome.NOT_APPLIED)]


def test_a_purge_that_cannot_be_read_back_stays_open(box, api, client, journal, kept):
    down = {"do": "status", "status": 403, "on": "GET /clients/*", "nth": 4, "times": 9}
    box.switch(faults=[{"do": "reset", "on": PURGE, "after_bytes": 0}, down])
    with pytest.raises(OutcomeUnknown, match="journal settle"):
        clients.purge(api, client["id"], backup=kept.append)
    assert len(journal.open) == 1
