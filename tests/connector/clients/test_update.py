"""Changing a client changes what was asked for, and nothing else: settings, contacts and documents stay whole."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import clients
from connector.api.api import Api
from connector.clients.contacts import ContactEdit
from connector.clients.fields import view
from connector.clients.update import apply_update, prepare_update
from schemas.errors import Invalid, NotVerified, OutcomeUnknown, SettingsError, StalePlan
from schemas.journal import Outcome
from schemas.server_form import NO_LISTS
from schemas.values import to_json
from tests.noted import Noted

PEOPLE = [
    {"first_name": "Ann", "email": "ann@one.test", "is_primary": True, "send_email": True, "phone": "+1 2"},
    {"first_name": "Bob", "email": "bob@one.test", "is_primary": False, "send_email": False, "custom_value1": "x"},
]


@pytest.fixture
def client(box):
    """A client with two contacts and settings of its own."""
    return box.make("One & Co", contacts=PEOPLE, settings={"currency_id": "3", "payment_terms": "14"}, city="Bern")


def unnamed(record, *named):
    """A record without what may move: stamps, the parts of contacts that nobody writes, and what was named."""
    seen = view(record)
    for one in [seen, *seen["contacts"], *seen["documents"]]:
        one.pop("updated_at")
    seen["settings"] = {k: v for k, v in json.loads(seen["settings"]).items() if v and k not in named}
    return {name: value for name, value in seen.items() if name not in named}


def test_a_change_is_read_back_and_leaves_all_else_alone(box, api, client, journal):
    changed = clients.update(api, client["id"], {"city": " Zürich ", "payment_terms": 30, "private_notes": "late"})
    assert (changed.city, changed.payment_terms, changed.private_notes, changed.currency_id) == (
        "Zürich", "30", "late", "3",
    )  # fmt: skip
    named = ("city", "payment_terms", "private_notes")
    assert unnamed(box.show(client["id"]), *named) == unnamed(client, *named)
    (call,), (edit,) = journal.calls, journal.calls[0].edits
    assert (call.verb, journal.last) == ("update", [(client["id"], Outcome.APPLIED)])
    assert edit.before == {"city": "Bern", "payment_terms": "14", "private_notes": None}
    assert edit.after == {"city": "Zürich", "payment_terms": "30", "private_notes": "late"}


def test_what_the_server_has_already_is_not_sent(box, api, client, journal):
    box.requests()
    same = clients.update(
        api, client["id"], {"city": "Bern ", "name": "One & Co", "public_notes": "", "is_tax_exempt": False}
    )
    assert same.city == "Bern"
    assert journal.calls == []
    assert not any(request.startswith("PUT") for request in box.requests())


def test_none_empties_a_column(api, client):
    assert clients.update(api, client["id"], {"city": None}).city is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"balance": 1}, "balance cannot be written"),
        ({"nme": "x"}, "nme is not a field of a client: did you mean name?"),
        ({"settings": {}}, "setting by setting"),
        ({"number": None}, "new number"),
        ({"number": ""}, "new number"),
        ({"country_id": None}, "company's country"),
        ({"country_id": "Germani"}, "did you mean Germany"),
        ({"industry_id": "999"}, "not one of the server's industries"),
        ({"currency_id": "EURO-"}, "not one of the server's currencies"),
        ({"group_settings_id": "nonsense"}, "not one of the server's groups"),
        ({"name": "a <b> c"}, "HTML"),
        ({"city": "x" * 192}, "191 characters"),
        ({"custom_value1": "0"}, "shows as empty"),
        ({"classification": "firm"}, "individual"),
        ({"is_tax_exempt": "perhaps"}, "must be true or false"),
        ({"city": 1.5}, "not text"),
        ({"payment_terms": "soon"}, "not a whole number"),
        ({"city": "x" * 192, "balance": 2}, "balance cannot"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(box, api, client, journal, changes, words):
    box.requests()
    with pytest.raises(SettingsError, match="Nothing was sent") as refusal:
        clients.update(api, client["id"], changes)
    assert words in str(refusal.value)
    assert not any(request.startswith(("PUT", "POST /api/v1/clients")) for request in box.requests())
    assert journal.calls == []
    assert box.show(client["id"]) == client


def test_a_deleted_client_is_refused_and_an_archived_one_is_changed(box, api, client):
    box.bulk("archive", client["id"])
    assert clients.update(api, client["id"], {"city": "Basel"}).status == "archived"
    box.bulk("delete", client["id"])
    with pytest.raises(SettingsError, match="Restore it"):
        clients.update(api, client["id"], {"city": "Genf"})


@pytest.mark.parametrize("name", ["currency_id", "country_id"])
def test_a_client_without_a_currency_or_country_is_not_given_the_companys_in_passing(box, api, client, name):
    box.bulk("bulk_update", client["id"], column="country_id")
    record = box.show(client["id"])
    if name == "currency_id":
        record = {**client, "settings": {"entity": "x"}}  # imported clients have none; no call of the API makes one

    class Door:
        def get(self, _path):
            return SimpleNamespace(json=lambda: {"data": record})

    without = Api(Door(), api.journal)
    with pytest.raises(SettingsError, match=f"no {name}"):
        prepare_update(without, client["id"], {"city": "Genf"})
    named = {"city": "Genf", name: "1"}
    assert prepare_update(without, client["id"], named, lists=NO_LISTS).after == named


def test_what_the_server_refuses_is_noted_as_refused(box, api, client, journal):
    other = box.make("Other", number="N-77")
    with pytest.raises(Invalid):
        clients.update(api, client["id"], {"number": other["number"]})
    assert journal.last == [(client["id"], Outcome.REFUSED)]


# contacts


def people(record):
    return {c["id"]: (c["first_name"], c["email"], c["is_primary"], c["send_email"]) for c in record["contacts"]}


def test_a_contact_is_changed_and_the_others_keep_their_ids_and_values(box, api, client):
    ann, bob = client["contacts"]
    clients.update(api, client["id"], {}, contacts=[ContactEdit(bob["id"], {"phone": "+41 1"})])
    after = box.show(client["id"])
    assert people(after) == people(client)
    assert {c["id"]: c["phone"] for c in after["contacts"]} == {ann["id"]: "+1 2", bob["id"]: "+41 1"}
    assert {c["id"]: c["contact_key"] for c in after["contacts"]} == {
        c["id"]: c["contact_key"] for c in client["contacts"]
    }


def test_exactly_one_primary_whom_an_edit_names(box, api, client):
    _, bob = client["contacts"]
    clients.update(api, client["id"], {}, contacts=[ContactEdit(bob["id"], {"is_primary": True})])
    assert [c["id"] for c in box.show(client["id"])["contacts"] if c["is_primary"]] == [bob["id"]]


def test_two_primaries_of_a_merge_become_one_when_contacts_are_written(box, api, client):
    other = box.make("Other", contacts=[{"first_name": "Cy", "email": "cy@two.test"}])
    box.call("POST", f"/api/v1/clients/{client['id']}/{other['id']}/merge")
    merged = box.show(client["id"])
    assert [c["is_primary"] for c in merged["contacts"]].count(True) == 2
    clients.update(api, client["id"], {}, contacts=[ContactEdit(client["contacts"][1]["id"], {"phone": "5"})])
    after = box.show(client["id"])
    assert [c["is_primary"] for c in after["contacts"]].count(True) == 1
    assert len(after["contacts"]) == 3


def test_a_contact_is_added_and_one_is_removed_only_when_that_is_asked_for(box, api, client):
    ann, bob = client["contacts"]
    edits = [ContactEdit(changes={"first_name": "Cy", "email": "cy@one.test"}), ContactEdit(ann["id"], remove=True)]
    clients.update(api, client["id"], {}, contacts=edits)
    after = {c["first_name"]: c for c in box.show(client["id"])["contacts"]}
    assert set(after) == {"Bob", "Cy"}
    assert after["Bob"]["id"] == bob["id"]
    assert [c["is_primary"] for c in after.values()].count(True) == 1


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([ContactEdit("nonsense", {"phone": "1"})], "not a contact of this client"),
        ([ContactEdit(changes={"email": "ann@one.test"})], "same e-mail"),
        ([ContactEdit(changes={"link": "x"})], "link is not a column of a contact"),
        ([ContactEdit(changes={"password": "x"})], "password is not a column of a contact"),
        ([ContactEdit(changes={"email": "x" * 101})], "100 characters"),
        (
            [
                ContactEdit(changes={"first_name": "A", "is_primary": True}),
                ContactEdit(changes={"first_name": "B", "is_primary": True}),
            ],
            "one primary",
        ),
    ],
)
def test_contact_edits_that_would_harm_are_refused(box, api, client, edits, words):
    with pytest.raises(SettingsError) as refusal:
        clients.update(api, client["id"], {}, contacts=edits)
    assert words in str(refusal.value)
    assert box.show(client["id"]) == client


def test_another_clients_contact_is_never_taken_away(box, api, client):
    other = box.make("Other", contacts=[{"first_name": "Cy", "email": "cy@other.test"}])
    theirs = other["contacts"][0]["id"]
    with pytest.raises(SettingsError, match="not a contact of this client"):
        clients.update(api, client["id"], {}, contacts=[ContactEdit(theirs, {"phone": "1"})])
    assert people(box.show(other["id"])) == people(other)


def test_the_last_contact_and_the_last_one_who_gets_mails_stay(box, api, client):
    ann, bob = (c["id"] for c in client["contacts"])
    with pytest.raises(SettingsError, match="keeps one contact"):
        clients.update(api, client["id"], {}, contacts=[ContactEdit(ann, remove=True), ContactEdit(bob, remove=True)])
    with pytest.raises(SettingsError, match="get mails"):
        clients.update(api, client["id"], {}, contacts=[ContactEdit(ann, {"send_email": False})])
    assert box.show(client["id"]) == client


# others write too, and answers get lost


def test_a_client_that_was_changed_meanwhile_is_left_alone(box, api, client, journal):
    prepared = prepare_update(api, client["id"], {"city": "Zürich"})
    box.call("PUT", f"/api/v1/clients/{client['id']}", {"city": "Genf", "settings": client["settings"]})
    with pytest.raises(StalePlan, match="city"):
        apply_update(api, prepared)
    assert (box.show(client["id"])["city"], journal.calls) == ("Genf", [])


def test_a_change_of_another_column_meanwhile_is_kept(box, api, client):
    prepared = prepare_update(api, client["id"], {"city": "Zürich"})
    box.call(
        "PUT",
        f"/api/v1/clients/{client['id']}",
        {"phone": "1", "settings": {**client["settings"], "payment_terms": "7"}},
    )
    apply_update(api, prepared)
    after = box.show(client["id"])
    assert (after["city"], after["phone"], after["settings"]["payment_terms"]) == ("Zürich", "1", "7")


LOST = [
    {"do": "reset"},
    {"do": "reset", "after_bytes": 0},
    {"do": "status", "status": 500},
    {"do": "status", "status": 502},
    {"do": "status", "status": 429},
    {"do": "html", "status": 502},
    {"do": "truncate"},
]


@pytest.mark.parametrize("fault", LOST, ids=lambda f: "-".join(map(str, f.values())))
def test_an_answer_that_is_lost_ends_in_the_client_as_wanted(box, api, client, journal, fault):
    box.switch(faults=[{"on": "PUT /clients/*", **fault}])
    assert clients.update(api, client["id"], {"city": "Zürich"}).city == "Zürich"
    box.switch(faults=[])
    assert box.show(client["id"])["city"] == "Zürich"
    assert journal.open == []


def test_a_200_is_no_proof(box, api, client, journal):
    box.switch(faults=[{"on": "PUT /clients/*", "do": "empty"}])
    with pytest.raises(NotVerified, match="kept nothing"):
        clients.update(api, client["id"], {"city": "Zürich"})
    assert journal.last == [(client["id"], Outcome.NOT_APPLIED)]


def test_a_change_by_another_between_a_lost_answer_and_the_next_try_is_not_overwritten(box, api, client, journal):
    send = api.door.put

    def cut(path, body, **more):
        box.call("PUT", f"/api/v1/clients/{client['id']}", {"city": "Genf", "settings": client["settings"]})
        box.switch(faults=[{"on": "PUT /clients/*", "do": "reset"}])
        return send(path, body, **more)

    rival = Api(SimpleNamespace(get=api.door.get, put=cut), journal)
    with pytest.raises(NotVerified, match="other values"):
        clients.update(rival, client["id"], {"city": "Zürich"})
    assert (box.show(client["id"])["city"], journal.last) == ("Genf", [(client["id"], Outcome.CONFLICT)])


def test_a_server_that_is_gone_after_the_write_leaves_the_call_open(box, api, client, journal):
    prepared = prepare_update(api, client["id"], {"city": "Zürich"})
    box.switch(
        faults=[
            {"on": "PUT /clients/*", "do": "reset", "after_bytes": 0},
            {"on": "GET /clients/*", "do": "reset", "nth": 2, "times": 99},
        ]
    )
    with pytest.raises(OutcomeUnknown, match="call-1"):
        apply_update(api, prepared)
    box.switch(faults=[])
    assert [call.verb for call in journal.open] == ["update"]
    assert box.show(client["id"])["city"] == "Zürich"


WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<"), min_size=1, max_size=40
        ),
        "city": st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=191),
        "custom_value2": st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300),
        "private_notes": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
        "payment_terms": st.sampled_from([None, "0", "7", 14, "30"]),
        "send_reminders": st.sampled_from([True, False, "yes", None]),
        "default_task_rate": st.sampled_from([None, 12, "12.5"]),
        "is_tax_exempt": st.booleans(),
        "country_id": st.sampled_from(["276", "756", 840]),
        "vat_number": st.none() | st.from_regex(r"[A-Z]{2}[0-9]{9}", fullmatch=True),
    },
)


@settings(max_examples=12, deadline=None)
@given(changes=st.lists(WRITTEN, min_size=1, max_size=3), data=st.data())
def test_whatever_is_written_is_there_and_nothing_else_has_changed(box_and_api, changes, data):
    box, api = box_and_api
    client = box.make("Prop", contacts=PEOPLE, settings={"currency_id": "3"})
    for change in changes:
        before = box.show(client["id"])
        try:
            clients.update(api, client["id"], change)
        except SettingsError:
            assert box.show(client["id"]) == before
            continue
        after = box.show(client["id"])
        assert unnamed(after, *change, "display_name") == unnamed(before, *change, "display_name")
        assert clients.prepare_update(api, client["id"], change).is_empty


@pytest.fixture(scope="module")
def box_and_api(box):
    api = box.api(Noted())
    with api.door:
        yield box, api


def test_nothing_of_a_record_that_opens_a_portal_is_in_the_journal(api, client, journal):
    _, bob = client["contacts"]
    clients.update(api, client["id"], {"city": "x"}, contacts=[ContactEdit(bob["id"], {"phone": "9"})])
    told = to_json([[edit.before, edit.after] for call in journal.calls for edit in call.edits])
    for contact in client["contacts"]:
        assert contact["contact_key"] not in told
    assert client["client_hash"] not in told
