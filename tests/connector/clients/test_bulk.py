"""Bulk actions tell what became of every client, whatever the server says; only what differs is sent."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector import clients
from connector.clients import action
from connector.clients.bulk import COLUMNS
from schemas.errors import NetworkFailed, NotAuthorised, OutcomeUnknown, SettingsError
from schemas.journal import AS_WANTED, Outcome
from schemas.journal import Outcome as Is
from tests.meanwhile import Meanwhile

LOST = {"do": "reset", "on": "POST /clients/bulk", "after_bytes": 0}
"""The server does it, and the answer is lost."""


@pytest.fixture
def make(box):
    """New clients of a name each; their ids."""
    return lambda *names, **more: [box.make(name, **more)["id"] for name in names]


@pytest.fixture
def group(box):
    return box.call("GET", "/api/v1/group_settings")["data"][0]["id"]


@pytest.fixture(scope="module")
def pool(box):
    """Six clients whose state changes from test to test."""
    return [box.make(f"Pool {n}")["id"] for n in range(6)]


@pytest.fixture(autouse=True)
def as_it_was(box):
    yield
    box.switch(faults=[], poison=[])


def told(results):
    return [(one.client_id, one.outcome) for one in results]


def sent(box):
    return [one.split("?")[0] for one in box.requests() if not one.startswith("GET")]


def test_archive_restore_and_delete_tell_each_client_once_in_the_order_given(box, api, make, journal):
    a, b, c, d = make("A", "B", "C", "D")
    box.bulk("archive", b)
    box.bulk("delete", c)
    found = clients.archive(api, [d, "WrongIdxxx", b, c, a, d, "no id/../x"])
    assert told(found) == [
        (d, Is.APPLIED), ("WrongIdxxx", Is.MISSING), (b, Is.UNCHANGED), (c, Is.REFUSED), (a, Is.APPLIED),
        ("no id/../x", Is.MISSING),
    ]  # fmt: skip
    assert [one.name for one in found if one.outcome is Is.APPLIED] == ["D", "A"]
    assert "restore it first" in found[3].reason
    assert [(e.client_id, e.before, e.after) for e in journal.calls[0].edits] == [
        (one, {"status": "active"}, {"status": "archived"}) for one in (d, a)
    ]
    assert told(clients.delete(api, [a, c])) == [(a, Is.APPLIED), (c, Is.UNCHANGED)]
    assert told(clients.restore(api, [a, b, c, d])) == [(one, Is.APPLIED) for one in (a, b, c, d)]
    assert all(not box.show(one)["archived_at"] and not box.show(one)["is_deleted"] for one in (a, b, c, d))
    assert journal.open == []


def test_one_client_is_deleted_by_its_own_request(box, api, make):
    (a,) = make("A")
    box.requests()
    assert clients.delete_one(api, a).outcome is Is.APPLIED
    assert sent(box) == [f"DELETE /api/v1/clients/{a}"]
    assert clients.delete_one(api, a).outcome is Is.UNCHANGED
    assert clients.delete_one(api, "WrongIdxxx").outcome is Is.MISSING
    assert sent(box) == []


def test_many_are_read_in_one_list_and_few_one_by_one(box, api, make):
    ids = make(*"ABCDE")
    box.requests()
    clients.archive(api, ids)
    asked = [one.split("?")[0] for one in box.requests()]
    assert asked == ["GET /api/v1/clients", "POST /api/v1/clients/bulk", "GET /api/v1/clients"]
    clients.restore(api, ids[:2])
    assert len([one for one in box.requests() if one.startswith("GET /api/v1/clients/")]) == 4


def test_what_is_as_wanted_is_not_sent_so_that_its_stamp_stays(box, api, make, group):
    ids = make("A", "B", "C")
    clients.bulk_update(api, ids, "custom_value1", "gold")
    clients.assign_group(api, ids, group)
    before = [box.show(one)["updated_at"] for one in ids]
    box.requests()
    for found in (
        clients.bulk_update(api, ids, "custom_value1", " gold "),
        clients.assign_group(api, ids, group),
        clients.restore(api, ids),
    ):
        assert {one.outcome for one in found} == {Is.UNCHANGED}
    assert sent(box) == []
    assert [box.show(one)["updated_at"] for one in ids] == before


def test_bulk_update_writes_archived_clients_and_refuses_deleted_ones(box, api, make):
    a, b, c = make("A", "B", "C")
    box.bulk("archive", b)
    box.bulk("delete", c)
    found = clients.bulk_update(api, [a, b, c], "country_id", 756)
    assert told(found) == [(a, Is.APPLIED), (b, Is.APPLIED), (c, Is.REFUSED)]
    assert [box.show(one)["country_id"] for one in (a, b)] == ["756", "756"]


def test_assign_group_tells_of_the_archived_ones_that_the_server_passes_over(box, api, make, group):
    a, b, c = make("A", "B", "C")
    box.bulk("archive", b)
    assert told(clients.assign_group(api, [a, b, c], group)) == [(a, Is.APPLIED), (b, Is.REFUSED), (c, Is.APPLIED)]
    assert [box.show(one)["group_settings_id"] for one in (a, b, c)] == [group, "", group]


def test_a_column_is_emptied_only_where_that_is_said(box, api, make):
    (a,) = make("A", custom_value1="x")
    for value in (None, "", "  "):
        with pytest.raises(SettingsError, match="clear"):
            clients.bulk_update(api, [a], "custom_value1", value)
    with pytest.raises(SettingsError, match="Choose one"):
        clients.bulk_update(api, [a], "custom_value1", "y", clear=True)
    assert box.show(a)["custom_value1"] == "x"
    assert clients.bulk_update(api, [a], "custom_value1", None, clear=True).pop().outcome is Is.APPLIED
    assert box.show(a)["custom_value1"] == ""


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("country_id", "Germani", "did you mean Germany"),
        ("country_id", "999999", "not one of the server's countries"),
        ("industry_id", 4711, "not one of the server's industries"),
        ("custom_value2", {"a": 1}, "not text"),
        ("public_notes", "x" * 65_536, "longer"),
        ("name", "New", "update writes other columns"),
        ("balance", "1", "update writes other columns"),
    ],
)
def test_a_value_that_the_server_would_spoil_is_refused_before_anything_is_sent(box, api, column, value, words):
    box.requests()
    with pytest.raises(SettingsError, match=words):
        clients.bulk_update(api, ["WrongIdxxx"], column, value)
    assert sent(box) == []


def test_a_group_that_is_not_there_is_refused(box, api, make):
    ids = make("A")
    for wrong in ("WrongIdxxx", "", " "):
        with pytest.raises(SettingsError, match="Nothing was sent"):
            clients.assign_group(api, ids, wrong)


def test_columns_are_those_that_the_server_names():
    assert COLUMNS == (
        "country_id", "custom_value1", "custom_value2", "custom_value3", "custom_value4", "industry_id",
        "public_notes", "size_id",
    )  # fmt: skip


def restricted(box, other_api, *own):
    """A user who may see all clients and edit those that he has in charge."""
    user = box.call("POST", "/_sandbox/users", {"permissions": "view_client,view_invoice"})
    for one in own:
        client = box.show(one)
        box.call("PUT", f"/api/v1/clients/{one}", {"assigned_user_id": user["id"], "settings": client["settings"]})
    return other_api(token=user["token"])


def test_a_right_that_is_missing_shows_as_not_applied_although_the_server_says_200(box, journal, make, other_api):
    a, b, c = make("A", "B", "C")
    api = restricted(box, other_api, b)
    found = clients.archive(api, [a, b, c])
    assert told(found) == [(a, Is.NOT_APPLIED), (b, Is.APPLIED), (c, Is.NOT_APPLIED)]
    assert "may not edit it" in found[0].reason
    assert journal.last == [(a, Outcome.NOT_APPLIED), (b, Outcome.APPLIED), (c, Outcome.NOT_APPLIED)]


@pytest.mark.parametrize("first", ["may not be edited", "may be edited", "nor any other"])
def test_rights_of_the_first_client_decide_for_all_and_the_results_say_how(box, journal, make, group, first, other_api):
    a, b, c = make("A", "B", "C")
    api = restricted(box, other_api, *{"may not be edited": [b], "may be edited": [a], "nor any other": []}[first])
    expected = Is.APPLIED if first == "may be edited" else Is.NOT_APPLIED
    for found in (
        clients.bulk_update(api, [a, b, c], "custom_value1", "x"),
        clients.assign_group(api, [a, b, c], group),
    ):
        assert told(found) == [(a, expected), (b, expected), (c, expected)]
        assert all(one.reason for one in found) is (expected is Is.NOT_APPLIED)
    assert [box.show(one)["custom_value1"] for one in (a, b, c)] == ["x" if expected is Is.APPLIED else ""] * 3
    assert journal.open == []


def test_a_token_that_may_see_nothing_is_told_so_for_every_client(box, journal, make, other_api):
    ids = make("A", "B", "C")
    assert {one.outcome for one in clients.delete(other_api(token=box.sandbox.none_token), ids)} == {Is.MISSING}
    assert journal.calls == []


def test_ids_that_vanish_after_they_were_read_do_not_sink_the_others(box, journal, make, other_api):
    ids = make(*"ABCDEFG")
    gone = ids[1], ids[6]

    def purge():
        for one in gone:
            box.call("POST", f"/api/v1/clients/{one}/purge")

    api = other_api(transport=Meanwhile("POST /api/v1/clients/bulk", purge))
    found = clients.archive(api, ids)
    assert told(found) == [(one, Is.MISSING if one in gone else Is.APPLIED) for one in ids]
    assert journal.open == []


def test_a_client_that_somebody_else_writes_meanwhile_is_a_conflict(box, make, other_api):
    a, b, c = make("A", "B", "C")
    written = {"column": "custom_value1", "new_value": "!"}
    meanwhile = Meanwhile("GET /api/v1/clients", lambda: box.bulk("bulk_update", b, **written), after="POST")
    api = other_api(transport=meanwhile)
    found = clients.bulk_update(api, [a, b, c], "custom_value1", "x")
    assert told(found) == [(a, Is.APPLIED), (b, Is.CONFLICT), (c, Is.APPLIED)]


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_read_back_and_nothing_is_done_twice(box, api, make, journal, done):
    ids = make("A", "B", "C")
    box.switch(faults=[LOST if done else {**LOST, "after_bytes": None}])
    box.requests()
    assert told(clients.archive(api, ids)) == [(one, Is.APPLIED) for one in ids]
    assert len(sent(box)) == (1 if done else 2)
    assert [len(outcomes) for outcomes in journal.outcomes.values()] == [3] * len(journal.calls)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_a_pause_gets_it_and_the_call_is_sent_again(box, api, make, journal, status):
    ids = make("A", "B", "C")
    box.switch(faults=[{"do": "status", "status": status, "on": "POST /clients/bulk"}])
    box.requests()
    assert told(clients.archive(api, ids)) == [(one, Is.APPLIED) for one in ids]
    assert len(sent(box)) == 2
    assert [outcomes[0][1] for outcomes in journal.outcomes.values()] == [Outcome.NOT_APPLIED, Outcome.APPLIED]


def test_a_call_of_which_nothing_is_done_is_an_error_after_three_tries(box, api, make):
    ids = make("A", "B", "C")
    box.switch(faults=[{"do": "reset", "on": "POST /clients/bulk", "every": True}])
    box.requests()
    with pytest.raises(NetworkFailed, match="has changed nothing"):
        clients.archive(api, ids)
    assert len(sent(box)) == 3


def test_a_call_that_cannot_be_read_back_stays_open(box, api, make, journal):
    ids = make("A", "B")
    down = [{"do": "status", "status": 403, "on": "GET /clients/*", "nth": 3, "times": 9}]
    box.switch(faults=[LOST, *down])
    with pytest.raises(OutcomeUnknown, match="call-1"):
        clients.archive(api, ids)
    assert len(journal.open) == 1


def test_a_client_that_the_server_cannot_send_is_left_alone_and_the_others_are_done(box, api, make):
    a, b, c = make("A", "B", "C")
    box.switch(poison=[b])
    assert told(clients.archive(api, [a, b, c])) == [(a, Is.APPLIED), (b, Is.NOT_SENT), (c, Is.APPLIED)]


def test_a_token_that_is_not_accepted_is_an_error(box, other_api):
    with pytest.raises(NotAuthorised):
        clients.archive(other_api(token="wrong"), ["WrongIdxxx"] * 3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_id_has_one_result_in_order_and_those_that_are_fine_are_as_wanted(box, api, journal, pool, data):
    ids = data.draw(st.lists(st.sampled_from([*pool, "WrongIdxxx", "..", ""]), max_size=8))
    verb, status = data.draw(
        st.sampled_from([(clients.archive, "archived"), (clients.restore, "active"), (clients.delete, "deleted")])
    )
    found = verb(api, ids)
    assert [one.client_id for one in found] == list(dict.fromkeys(ids))
    now = {one["id"]: action.status_of(one) for one in box.call("GET", "/api/v1/clients?per_page=5000")["data"]}
    for one in found:
        assert (one.outcome in AS_WANTED) == (now.get(one.client_id) == status)
        assert (one.outcome is Is.MISSING) == (one.client_id not in now)
        assert bool(one.reason) == (one.outcome not in AS_WANTED)
    assert journal.open == []


def test_more_than_a_call_takes_goes_in_several_and_each_client_is_read_back(box, api, journal):
    ids = box.call("POST", "/_sandbox/clients", {"count": 501})["ids"]
    box.bulk("restore", *ids)
    box.requests()
    found = clients.bulk_update(api, [*ids, ids[0]], "size_id", "3")
    assert [one.client_id for one in found] == ids
    assert {one.outcome for one in found} <= {Is.APPLIED, Is.UNCHANGED}
    edited = [len(call.edits) for call in journal.calls]
    assert len(edited) == 1 + (sum(edited) > 500)
    asked = [one.split("?")[0] for one in box.requests()]
    assert len(asked) <= 3 + 2 * len(edited)
    assert {one["size_id"] for one in box.call("GET", "/api/v1/clients?per_page=5000")["data"] if one["id"] in ids} == {
        "3"
    }


def test_what_was_done_before_it_went_wrong_is_told_and_the_rest_is_not_sent(box, api, journal):
    ids = [one["id"] for one in box.call("GET", "/api/v1/clients?per_page=5000&status=active")["data"]]
    assert len(ids) > 500
    box.switch(faults=[{"do": "reset", "on": "POST /clients/bulk", "nth": 2, "times": 9}])
    found = clients.bulk_update(api, ids, "custom_value4", "late")
    assert {one.outcome for one in found[:500]} == {Is.APPLIED}
    assert {one.outcome for one in found[500:]} == {Is.NOT_APPLIED}
    box.switch(faults=[])
    again = clients.bulk_update(api, ids, "custom_value4", "late")
    assert [one.outcome for one in again] == [Is.UNCHANGED] * 500 + [Is.APPLIED] * (len(ids) - 500)
