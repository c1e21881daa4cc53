"""What the recorded scenarios do not ask of the list, but was seen on the real server or stands in its code."""

from __future__ import annotations

import pytest

from sandbox.php import hashids


@pytest.fixture
def three(api):
    one, two, three = api.make("active"), api.make("archived"), api.make("deleted")
    api.bulk("archive", two["id"])
    api.bulk("delete", three["id"])
    return one, two, three


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("true", ["active", "archived"]), ("false", ["active", "archived"]), ("0", ["active", "archived"]),
        ("", ["active", "archived"]), ("1", ["deleted"]), ("2", []),
    ],
)  # fmt: skip
def test_is_deleted_compares_with_the_number_in_the_text(api, three, value, shown):
    assert api.names(is_deleted=value) == shown


def test_arrays_call_a_filter_without_its_argument(api, three):
    assert api.names(**{"name[]": "active"}) == ["active", "archived", "deleted"]
    assert api.names(**{"is_deleted[]": "1"}) == ["active", "archived"]
    assert len(api.rows(**{"per_page[]": 2})) == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [("10:", []), (":10", ["zero", "ten"]), ("a:b", ["zero"]), ("5:100", ["ten", "hundred"]), ("5", 4), ("1:2:3", 4)],
)
def test_between_balance(api, value, shown):
    for name, balance in (("zero", 0), ("ten", 10), ("hundred", 100), ("minus", -5)):
        api.balances(api.make(name), balance=balance)
    names = api.names(between_balance=value)
    assert (len(names) if isinstance(shown, int) else names) == shown


def test_with_puts_one_client_first_and_defeats_earlier_filters(api, three):
    one = three[2]["id"]
    assert [row["name"] for row in api.rows(name="active", **{"with": one})] == ["deleted", "active"]
    assert [row["name"] for row in api.rows(**{"with": one}, name="active")] == ["active"]


def test_with_stays_inside_the_company(api):
    other = api.post("/api/v1/clients", json={"name": "B"}, headers={"X-API-TOKEN": api.sandbox.other_token}).json()
    api.make("A")
    assert api.names(**{"with": other["data"]["id"]}) == ["A"]


def test_unknown_include_is_refused_only_where_there_are_rows(api):
    assert api.get("/api/v1/clients?include=nope").status_code == 200
    client = api.make()
    answer = api.get("/api/v1/clients?include=contacts,nope")
    assert (answer.status_code, answer.json()) == (400, {"message": "Relation `nope` is not a valid include."})
    for known in ("invoices", "country", "Contacts", "contacts.client"):
        assert api.get(f"/api/v1/clients?include={known}").status_code == 200
    assert api.get(f"/api/v1/clients/{client['id']}?include=nope").status_code == 200


def test_index_renames_the_envelope_or_takes_it_away(api):
    client = api.make()
    assert list(api.get("/api/v1/clients?index=rows").json()) == ["meta", "rows"]
    assert api.get("/api/v1/clients?index=none").json()[0]["id"] == client["id"]
    assert api.get(f"/api/v1/clients/{client['id']}?index=none").json()["id"] == client["id"]


@pytest.mark.parametrize("sort", ["nope|asc", "|asc", "archived_at|asc", "contacts|asc"])
def test_sorting_by_what_is_no_column_is_an_error(api, sort):
    assert api.get(f"/api/v1/clients?sort={sort}").status_code == 500


@pytest.mark.parametrize("sort", ["name|ASC", "name|up", "name|", "NAME|desc"])
def test_any_direction_but_asc_is_descending(api, sort):
    api.make("a"), api.make("b")
    assert api.names(sort=sort) == ["b", "a"]


@pytest.mark.parametrize("sort", ["name", "name|asc|x", "documents|asc"])
def test_other_sorts_are_ignored(api, sort):
    assert api.get(f"/api/v1/clients?sort={sort}").status_code == 200


def test_seconds_are_whole_and_inclusive(api):
    client = api.make()
    api.post(f"/_sandbox/clients/{client['id']}/stamp", json={"updated_at": 1700000000.999999})
    assert api.rows()[0]["updated_at"] == 1700000000
    assert len(api.rows(updated_at=1700000000)) == 1
    assert api.rows(updated_at=1700000001) == []


def test_rows_without_a_stamp_are_hidden_by_any_filter(api):
    client = api.make()
    api.post(f"/_sandbox/clients/{client['id']}/stamp", json={"updated_at": None})
    assert [row["updated_at"] for row in api.rows()] == [0]
    assert api.rows(updated_at=0) == []


def test_an_offset_is_dropped(api):
    client = api.make()
    api.post(f"/_sandbox/clients/{client['id']}/stamp", json={"updated_at": 1767323046})  # 2026-01-02T03:04:06Z
    assert len(api.rows(updated_at="2026-01-02T03:04:06Z")) == 1
    assert api.rows(updated_at="2026-01-02T05:04:06+02:00") == []


def test_ids_are_looked_up_exactly(api):
    client = api.make()
    assert len(api.rows(client_id=client["id"])) == 1
    assert api.rows(client_id=client["id"].swapcase()) == []
    assert api.rows(client_id=str(hashids.decode(client["id"]))) == []
