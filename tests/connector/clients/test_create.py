"""Making a client: checked before it is sent, never twice after a lost answer, read again as the server keeps it."""

from __future__ import annotations

import pytest

from connector import clients
from schemas.errors import Invalid, NetworkFailed, NotVerified, OutcomeUnknown, SettingsError
from schemas.journal import Outcome


def count(box):
    return box.call("GET", "/api/v1/clients?per_page=1")["meta"]["pagination"]["total"]


def test_a_client_is_made_with_all_it_was_given(box, api, journal):
    made = clients.create(
        api,
        {
            "name": " Müller & Söhne ",
            "number": "C-1",
            "country_id": 756,
            "currency_id": "3",
            "payment_terms": 14,
            "city": "",
        },
        [{"first_name": "Ann", "email": "ann@c.test"}, {"first_name": "Bob", "is_primary": True, "phone": "+41"}],
    )
    assert (made.name, made.number, made.country_id, made.currency_id, made.payment_terms, made.city) == (
        "Müller & Söhne", "C-1", "756", "3", "14", None,
    )  # fmt: skip
    assert {(c.first_name, c.is_primary) for c in made.contacts} == {("Ann", False), ("Bob", True)}
    assert journal.last == [(made.id, Outcome.APPLIED)]
    assert box.show(made.id)["number"] == "C-1"


def test_without_a_number_the_server_draws_one(api):
    assert clients.create(api, {"name": "Drawn"}).number


@pytest.mark.parametrize(
    ("fields", "contacts", "words"),
    [
        ({}, [], "needs a name"),
        ({"name": "  "}, [{"phone": "1"}], "needs a name"),
        ({"name": "x", "balance": 5}, [], "balance cannot"),
        ({"name": "x", "number": "0"}, [], "new number"),
        ({"name": "x", "country_id": "Germani"}, [], "did you mean Germany"),
        ({"name": "x", "id": "abc"}, [], "id cannot be written"),
        ({"name": "x"}, [{"email": "a@b.test"}, {"email": "a@b.test"}], "same e-mail"),
        ({"name": "x"}, [{"id": "abc"}], "id is not a column of a contact"),
    ],
)
def test_what_would_make_no_good_client_is_refused_before_anything_is_sent(box, api, journal, fields, contacts, words):
    before = count(box)
    with pytest.raises(SettingsError, match="Nothing was sent") as refusal:
        clients.create(api, fields, contacts)
    assert words in str(refusal.value)
    assert (count(box), journal.calls) == (before, [])


@pytest.mark.parametrize("key", ["number", "id_number"])
def test_a_key_that_is_taken_is_told_with_the_client_who_has_it_deleted_ones_too(box, api, key):
    first = clients.create(api, {"name": "First", key: f"K-{key}"})
    box.bulk("delete", first.id)
    with pytest.raises(SettingsError, match=first.id):
        clients.create(api, {"name": "Second", key: f" k-{key} "})


def test_the_same_again_is_the_same_client(box, api, journal):
    told = ({"name": "Again", "number": "A-1", "city": "Bern"}, [{"first_name": "Ann", "email": "a@again.test"}])
    first = clients.create(api, *told)
    assert clients.create(api, *told).id == first.id
    assert len(journal.calls) == 1
    with pytest.raises(SettingsError, match=first.id):
        clients.create(api, {**told[0], "city": "Genf"}, told[1])


@pytest.mark.parametrize("key", ["number", "id_number"])
def test_a_lost_answer_makes_no_second_client_where_it_has_a_key(box, api, journal, key):
    before = count(box)
    box.switch(faults=[{"on": "POST /clients", "do": "reset", "after_bytes": 0}])
    made = clients.create(api, {"name": "Lost", key: f"L-{key}"})
    box.switch(faults=[])
    assert count(box) == before + 1
    assert box.show(made.id)["name"] == "Lost"
    assert (journal.last, journal.open) == ([(made.id, Outcome.APPLIED)], [])


def test_what_never_arrived_is_said_to_be_not_done_where_it_has_a_key(box, api, journal):
    before = count(box)
    box.switch(faults=[{"on": "POST /clients", "do": "reset"}])
    with pytest.raises(NetworkFailed, match="can be done again"):
        clients.create(api, {"name": "Never", "number": "N-9"})
    assert (count(box), journal.last) == (before, [("", Outcome.NOT_APPLIED)])
    assert clients.create(api, {"name": "Never", "number": "N-9"}).number == "N-9"


def test_without_a_key_a_lost_answer_stays_unknown_and_nothing_is_sent_again(box, api, journal):
    before = count(box)
    box.switch(faults=[{"on": "POST /clients", "do": "reset", "after_bytes": 0}])
    with pytest.raises(OutcomeUnknown, match="call-1"):
        clients.create(api, {"name": "Keyless"})
    box.switch(faults=[])
    assert (count(box), len(journal.open)) == (before + 1, 1)


def test_what_the_server_refuses_is_noted_as_refused(api, journal):
    with pytest.raises(Invalid, match=r"contacts\.0\.email"):
        clients.create(api, {"name": "Bad mail"}, [{"email": "no mail"}])
    assert journal.last == [("", Outcome.REFUSED)]


def test_a_server_that_makes_something_else_of_it_is_told(box, api):
    body = {}

    class Door:
        get = api.door.get

        def post(self, path, sent, **more):
            body.update(sent)
            return api.door.post(path, {**sent, "city": "Elsewhere"}, **more)

    with pytest.raises(NotVerified, match="city"):
        clients.create(type(api)(Door(), api.journal), {"name": "Changed", "city": "Bern"})
    assert body["city"] == "Bern"
