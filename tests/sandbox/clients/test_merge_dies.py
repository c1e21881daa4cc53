"""Merges that die: what stays is what the steps before had committed."""

from __future__ import annotations

import socket
from decimal import Decimal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clients.merge import AT_ONCE, STEPS
from sandbox.server import create_app, running
from tests.sandbox.clients.merging import dying, exists, figures, merge, show
from tests.sandbox.conftest import NOW, Api

DEATHS = ("500", "hang", "no_answer")


@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("after", range(len(STEPS) + 1))
def test_what_was_committed_before_a_death_stays(api, pair, after, how):
    one, other = pair
    api.switch(merge_dies={"after": after, "do": how, "seconds": 0})
    dying(api, one, other)
    now = show(api, one)
    assert figures(now) == (
        150 if after >= 1 else 100,
        30 if after >= 1 else 10,
        3 if after >= 6 else 1,
        5,
    )
    assert [(row["adjustment"], row["balance"]) for row in now["ledger"]] == ([(50, 50)] if after >= 2 else [])
    assert len(now["activities"]) == (2 if after >= 3 else 1)
    mails = {0: ["a@x.io"], 3: ["a@x.io", "a@x.io", "b@x.io", ""], 4: ["a@x.io", "b@x.io"]}
    here = mails[max(k for k in mails if k <= after)]
    assert sorted(contact["email"] for contact in now["contacts"]) == sorted(here)
    assert exists(api, other) == (after < 5)


@pytest.mark.parametrize("how", DEATHS)
def test_the_state_of_the_switch_counts_and_the_next_merge_goes_through(api, pair, how):
    one, other = pair
    api.switch(merge_dies={"after": 0, "do": how, "times": 2, "seconds": 0})
    dying(api, one, other)
    assert merge(api, one, {"id": "zzzzzzzzzz"}).status_code == 400  # a refused one does not count
    dying(api, one, other)
    state = api.get("/_sandbox/switches").json()["merge_dies"]
    assert state == {"after": 0, "do": how, "times": 2, "seconds": 0, "struck": 2}
    assert merge(api, one, other).status_code == 200
    assert api.switch(merge_dies=None)["merge_dies"] is None


@pytest.mark.parametrize("wrong", [{"after": 7}, {"after": -1}, {"do": "explode"}, {"often": 1}, {"after": None}])
def test_a_death_that_makes_no_sense_is_refused(api, wrong):
    answer = api.post("/_sandbox/switches", json={"merge_dies": {"after": 1, "do": "500", **wrong}})
    assert answer.status_code == 400
    assert api.get("/_sandbox/switches").json()["merge_dies"] is None


def test_each_retry_of_a_dying_merge_adds_the_balance_again(api):
    one, other = api.make("One"), api.make("Two")
    api.balances(one, balance=100)
    api.balances(other, balance=100)
    api.switch(merge_dies={"after": 1, "do": "500", "times": 2})
    assert [merge(api, one, other).status_code for _ in range(3)] == [500, 500, 200]
    assert show(api, one)["balance"] == 400  # recorded: 100, 200, 300, 400
    assert merge(api, one, other).json() == {"message": "Client not found"}


def test_contacts_that_a_dead_merge_left_are_not_dropped_by_the_next_try(api, pair):
    one, other = pair
    api.switch(merge_dies={"after": 3, "do": "500"})
    dying(api, one, other)
    assert merge(api, one, other).status_code == 200
    assert sorted(x["email"] for x in show(api, one)["contacts"]) == ["", "a@x.io", "a@x.io", "b@x.io"]


MONEY = st.integers(-(10**12), 10**12).map(lambda n: Decimal(n) / 10**6)
CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


@settings(max_examples=60, deadline=None)
@given(
    sums=st.tuples(MONEY, MONEY, MONEY, MONEY),
    credited=st.tuples(CENTS, CENTS),
    tries=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(DEATHS)), max_size=5),
)
def test_any_tries_leave_the_balances_that_the_rule_gives(sums, credited, tries):
    with Api(create_app(clock=lambda: NOW)) as api:
        one, other = api.make("One"), api.make("Two")
        api.balances(one, balance=str(sums[0]), paid_to_date=str(sums[1]), credit_balance=str(credited[0]))
        api.balances(other, balance=str(sums[2]), paid_to_date=str(sums[3]), credit_balance=str(credited[1]))
        balance, paid, credit, running, gone = sums[0], sums[1], credited[0], Decimal(0), False
        for after, how in [*tries, (6, "")]:
            api.switch(merge_dies={"after": after, "do": how, "seconds": 0} if how else None)
            if gone:
                assert merge(api, one, other).status_code == 400
                continue
            if how:
                dying(api, one, other)
            else:
                assert merge(api, one, other).status_code == 200
            balance, paid = balance + sums[2] * (after >= 1), paid + sums[3] * (after >= 1)
            running += sums[2] * (after >= 2)
            gone = after >= 5
            credit = sum(credited) if after >= 6 else credit
        rows = api.world.db.execute("SELECT balance, paid_to_date, credit_balance FROM clients").fetchall()
        assert [tuple(map(Decimal, row)) for row in rows] == [(balance, paid, credit)]
        newest = api.world.db.execute("SELECT balance FROM ledger ORDER BY id DESC LIMIT 1").fetchone()
        assert Decimal(newest[0] if newest else 0) == running


def test_over_the_wire_the_connection_breaks_and_the_merge_is_done():
    with running() as box, httpx.Client(base_url=box.url, trust_env=False, timeout=60) as http:
        http.headers.update({"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest"})
        one, other = (http.post("/api/v1/clients", json={"name": name}).json()["data"] for name in "AB")
        http.post("/_sandbox/switches", json={"merge_dies": {"after": 6, "do": "no_answer"}})
        with pytest.raises(httpx.TransportError):
            http.post(f"/api/v1/clients/{one['id']}/{other['id']}/merge", headers={"X-API-PASSWORD": box.password})
        assert http.get(f"/api/v1/clients/{other['id']}").status_code == 400


def test_over_the_wire_a_hanging_merge_holds_nobody_else_up():
    with running() as box, httpx.Client(base_url=box.url, trust_env=False, timeout=60) as http:
        http.headers.update({"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest"})
        one, other = (http.post("/api/v1/clients", json={"name": name}).json()["data"] for name in "AB")
        http.post("/_sandbox/switches", json={"merge_dies": {"after": 2, "do": "hang"}})
        head = f"POST /api/v1/clients/{one['id']}/{other['id']}/merge HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        head += f"X-API-TOKEN: {box.token}\r\nX-API-PASSWORD: {box.password}\r\n\r\n"
        address = httpx.URL(box.url)
        with socket.create_connection((address.host, address.port)) as patient:
            patient.sendall(head.encode())
            struck = (http.get("/_sandbox/switches").json()["merge_dies"]["struck"] for _ in range(5000))
            assert any(struck)
            assert http.get(f"/api/v1/clients/{other['id']}").status_code == 200


@pytest.mark.parametrize("after", range(len(AT_ONCE) + 1))
@pytest.mark.parametrize("how", DEATHS)
def test_from_2026_on_a_dying_merge_does_nothing_or_everything(modern, after, how):
    api = modern
    one, other = api.make("One"), api.make("Two")
    api.balances(one, balance=100, paid_to_date=10, credit_balance=1, payment_balance=5)
    api.balances(other, balance=50, paid_to_date=20, credit_balance=2, payment_balance=7)
    before = show(api, one)
    api.switch(merge_dies={"after": after, "do": how, "seconds": 0})
    dying(api, one, other)
    now = show(api, one)
    if after < len(AT_ONCE):
        assert (now, exists(api, other)) == (before, True)
    else:
        assert (figures(now), exists(api, other)) == ((150, 30, 3, 12), False)
        assert [(row["adjustment"], row["balance"]) for row in now["ledger"]] == [(50, 50)]
