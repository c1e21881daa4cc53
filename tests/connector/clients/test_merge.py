"""A merge is sent once, whatever happens, and what became of it is told right: by the clients and their figures."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from connector import clients
from connector.clients.merge import currencies_of
from connector.clients.open_calls import ask_what_happened
from sandbox.server import running
from schemas.errors import (
    ApiError,
    Invalid,
    NotAuthorised,
    NotFound,
    NotVerified,
    OutcomeUnknown,
    PasswordRequired,
    SettingsError,
    UnsafePlan,
)
from schemas.journal import Outcome
from schemas.merge_preview import preview
from tests.connector.clients.conftest import Box
from tests.meanwhile import Meanwhile

MERGE = "POST /clients/*/merge"
DEATHS = ("500", "hang", "no_answer")


def in_short(how, after):
    """Whether `make test` runs it: to wait for an answer that never comes takes two seconds."""
    return how != "hang" or after in {2, 6}


@pytest.fixture(scope="module")
def newest():
    """A sandbox that behaves like 2026."""
    with running(clients=5, seed=5, behaves_like="2026") as sandbox:
        yield Box(sandbox)


@pytest.fixture(autouse=True)
def as_it_was(box, newest):
    yield
    for one in (box, newest):
        one.switch(faults=[], merge_dies=None)


@pytest.fixture
def pair(box):
    return two(box)


def two(box, balance="100.25", other="40.5", **more):
    """A survivor and a client to merge into it, with balances of theirs, by their ids."""
    people = [{"first_name": "Ann", "email": "ann@one.test"}], [{"first_name": "Bob", "email": "bob@two.test"}]
    survivor, mergeable = (
        box.call("POST", "/api/v1/clients", {"name": name, "contacts": contacts, **more})["data"]
        for name, contacts in zip(("Survivor", "Mergeable"), people, strict=True)
    )
    box.balances(survivor, balance=balance, paid_to_date="7")
    box.balances(mergeable, balance=other, paid_to_date="0.000001")
    return survivor["id"], mergeable["id"]


def merged(api, pair, **more):
    return clients.merge(api, *pair, backup=lambda _: None, sleep=more.pop("sleep", lambda _: None), **more)


def posts(box):
    return [one for one in box.requests() if one.startswith("POST /api/v1/clients/")]


def figures(record):
    return Decimal(record["balance"]), Decimal(record["paid_to_date"])


def is_there(box, client_id):
    return bool(box.call("GET", f"/api/v1/clients?client_id={client_id}")["data"])


def test_the_survivor_has_the_sum_and_the_other_is_gone(box, api, pair, journal):
    box.requests()
    survivor = merged(api, pair)
    assert (survivor.balance, survivor.paid_to_date) == (Decimal("140.75"), Decimal("7.000001"))
    assert {one.email for one in survivor.contacts} == {"ann@one.test", "bob@two.test"}
    assert len(posts(box)) == 1
    assert not is_there(box, pair[1])
    (call,) = journal.calls
    assert call.verb == "merge"
    assert [edit.client_id for edit in call.edits] == list(pair)
    assert call.edits[0].after == {"balance": Decimal("140.75"), "paid_to_date": Decimal("7.000001")}
    assert call.edits[1].after == {"gone": True}
    assert journal.last == [(one, Outcome.APPLIED) for one in pair]


def test_a_backup_of_both_is_safe_before_anything_is_sent(box, api, pair, tmp_path):
    file = tmp_path / "both.json"
    clients.merge(api, *pair, backup=file)
    assert [one["id"] for one in json.loads(file.read_bytes())["clients"]] == list(pair)
    again = two(box)
    with pytest.raises(SettingsError, match="nothing was sent"):
        clients.merge(api, *again, backup=file)
    assert is_there(box, again[1])


def test_what_would_come_of_it_is_known_before(box, api):
    survivor = box.make("S", contacts=[{"first_name": "Ann", "email": "ann@one.test"}])
    mergeable = box.make(
        "M", contacts=[{"first_name": "Ann", "email": "ann@one.test"}, {"first_name": "By name"},
                       {"first_name": "Bob", "email": "Ann@one.test"}],
    )  # fmt: skip
    box.balances(survivor, balance="-1")
    box.balances(mergeable, balance="0.5")
    foreseen = preview(*(clients.show(api, one["id"]) for one in (survivor, mergeable)), (5, 10), rescue=False)
    assert {figure.name: figure.after for figure in foreseen.figures}["balance"] == Decimal("-0.5")
    lost = {(one.first_name, one.email) for one in foreseen.dropped}
    assert lost == {("Ann", "ann@one.test"), ("By name", None)}
    after = merged(api, (survivor["id"], mergeable["id"]))
    assert {one.email for one in after.contacts} == {"ann@one.test", "Ann@one.test"}


def test_what_cannot_be_merged_is_refused_before_anything_is_sent(box, api, pair, journal):
    stranger = box.call("GET", "/api/v1/clients?per_page=1", token=box.sandbox.other_token)["data"][0]["id"]
    survivor, mergeable = pair
    box.requests()
    for one, other, error in (
        (survivor, survivor, SettingsError),
        ("WrongIdxxx", mergeable, NotFound),
        (survivor, "WrongIdxxx", NotFound),
        ("create", mergeable, SettingsError),
        (stranger, mergeable, NotAuthorised),  # which the server itself would take
        (survivor, stranger, NotAuthorised),
    ):
        with pytest.raises(error):
            merged(api, (one, other))
    assert (posts(box), journal.calls) == ([], [])


@pytest.mark.parametrize("state", ["archive", "delete"])
def test_a_survivor_that_is_not_active_has_to_be_allowed(box, api, pair, state):
    box.bulk(state, pair[0])
    with pytest.raises(UnsafePlan, match="--allow inactive"):
        merged(api, pair)
    assert merged(api, pair, allowed={"inactive"}).balance == Decimal("140.75")


def test_currencies_count_as_they_are_in_force(box, api):
    """The client's own, else its group's, else the company's."""
    groups = box.call("GET", "/api/v1/group_settings")["data"]
    group = next(one for one in groups if one["settings"].get("currency_id") not in {None, "", "1"})
    made = {"currency_code": "none"}  # which leaves the client without one of its own
    inherits, own = box.make("Inherits", **made), box.make("Own", settings={"currency_id": "1"})
    of_group = box.make("Group", **made, group_settings_id=group["id"])
    assert [one["settings"].get("currency_id") for one in (inherits, own, of_group)] == ["", "1", ""]
    in_force = currencies_of(api.door, [box.show(one["id"]) for one in (inherits, own, of_group)])
    assert in_force == ["1", "1", group["settings"]["currency_id"]]
    with pytest.raises(UnsafePlan, match="different currencies"):
        merged(api, (own["id"], of_group["id"]))
    merged(api, (own["id"], of_group["id"]), allowed={"currency"})
    merged(api, (inherits["id"], own["id"]))


def test_a_wrong_password_and_a_user_who_is_no_admin_are_refused(box, other_api, pair, journal):
    with pytest.raises(PasswordRequired):
        merged(other_api(password="wrong"), pair)
    user = box.call("POST", "/_sandbox/users", {"permissions": "edit_all"})
    with pytest.raises(NotAuthorised):
        merged(other_api(token=user["token"], password=user["password"]), pair)
    assert [outcomes[0][1] for outcomes in journal.outcomes.values()] == [Outcome.REFUSED] * 2
    assert is_there(box, pair[1])


@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("after", range(7))
def test_a_merge_that_dies_is_told_right_and_never_sent_twice(box, other_api, journal, after, how):
    """Up to 5.12: the figures are added first, the client is removed by the fifth of six steps."""
    pair = two(box)
    ended(box, other_api, journal, pair, after, how, {0: "not applied", 5: "applied", 6: "applied"}.get(after, "half"))


@pytest.mark.quick(where=in_short)
@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("after", range(7))
def test_a_merge_in_one_transaction_that_dies_is_told_right(newest, journal, after, how):
    """2026: nothing of it is there before its end."""
    expected = "applied" if after == 6 else "not applied"
    opened = []

    def other_api(**other):
        opened.append(newest.api(journal, **other))
        return opened[-1]

    ended(newest, other_api, journal, two(newest), after, how, expected)
    for api in opened:
        api.door.close()


def ended(box, other_api, journal, pair, after, how, expected):
    """One merge that dies so, and all that must hold then; settling later, or by somebody else, tells the same."""
    api = other_api(read_timeout=2 if how == "hang" else 60)
    box.switch(merge_dies={"after": after, "do": how, "seconds": 60})
    box.requests()
    if expected == "applied":
        assert merged(api, pair).balance == Decimal("140.75")
        outcomes = [(one, Outcome.APPLIED) for one in pair]
    else:
        with pytest.raises(ApiError if expected == "not applied" else OutcomeUnknown) as problem:
            merged(api, pair)
        outcomes = [(one, Outcome.NOT_APPLIED) for one in pair] if expected == "not applied" else None
        words = ["has changed nothing"] if outcomes else ["would add them again", *pair, "--as"]
        assert all(word in str(problem.value) for word in words)
        assert "Mergeable" not in str(problem.value)
        assert "140.75" not in str(problem.value)
        assert outcomes or "should be 140.75" in problem.value.figures
    assert len([one for one in posts(box) if one.split("?")[0].endswith("/merge")]) == 1
    assert (len(journal.open), journal.outcomes.get("call-1")) == (outcomes is None, outcomes)
    assert ask_what_happened(api, journal.calls[0]) == outcomes
    assert figures(box.show(pair[0]))[0] == Decimal("100.25" if expected == "not applied" else "140.75")
    if expected == "not applied" and how == "500":
        assert merged(api, pair).balance == Decimal("140.75")


@pytest.mark.parametrize("after", range(6))
def test_of_a_merge_without_figures_the_contacts_tell(box, api, journal, after):
    pair = two(box, other="0")
    box.balances({"id": pair[1]}, balance="0", paid_to_date="0")
    box.switch(merge_dies={"after": after, "do": "no_answer"})
    expected = {0: ApiError, 1: ApiError, 2: ApiError, 3: OutcomeUnknown, 4: OutcomeUnknown, 5: None}[after]
    if expected is None:
        merged(api, pair)
    else:
        with pytest.raises(expected):
            merged(api, pair)


def test_a_merge_that_the_server_ends_later_is_waited_for(box, api, pair, journal):
    box.switch(faults=[{"do": "reset", "on": MERGE}])

    def merged_meanwhile(_seconds):
        if is_there(box, pair[1]):
            box.call("POST", f"/api/v1/clients/{pair[0]}/{pair[1]}/merge")

    assert merged(api, pair, sleep=merged_meanwhile).balance == Decimal("140.75")
    assert journal.last == [(one, Outcome.APPLIED) for one in pair]


def test_after_silence_the_server_is_asked_for_a_minute_and_after_a_500_once(box, api, pair):
    for do, most in (("reset", 60), ("status", 0)):
        box.switch(faults=[{"do": do, "on": MERGE}])
        slept = []
        with pytest.raises(ApiError, match="has changed nothing"):
            merged(api, pair, sleep=slept.append)
        assert sum(slept) == most
        assert len(slept) < 12


def test_a_sum_that_is_another_one_is_told_and_there_is_nothing_to_repeat(box, other_api, pair, journal):
    """Somebody books on the survivor in the moment in which it is merged."""
    booked = Meanwhile(
        f"POST /api/v1/clients/{pair[0]}/{pair[1]}/merge", lambda: box.balances({"id": pair[0]}, balance="200")
    )
    with pytest.raises(NotVerified, match=r"are not the sum \(balance\).*Do not repeat") as problem:
        merged(other_api(transport=booked), pair)
    assert problem.type is NotVerified
    assert re.search(r"should be 140.75.*is 240.5", problem.value.figures)
    assert not re.search(r"\d\.\d", str(problem.value))
    assert journal.last == [(pair[0], Outcome.CONFLICT), (pair[1], Outcome.APPLIED)]


def test_figures_that_were_added_twice_are_said_to_be(box, other_api, pair):
    path = f"/api/v1/clients/{pair[0]}/{pair[1]}/merge"

    def half():
        box.switch(merge_dies={"after": 1, "do": "500"})
        with pytest.raises(Exception, match="500"):
            box.call("POST", path)

    with pytest.raises(NotVerified, match="added twice"):
        merged(other_api(transport=Meanwhile(f"POST {path}", half)), pair)


def test_a_merge_that_broke_off_half_way_is_told_without_amounts(box, api, pair):
    box.switch(merge_dies={"after": 1, "do": "500"})
    with pytest.raises(OutcomeUnknown, match=r"something has changed \(balance\)") as problem:
        merged(api, pair)
    assert not re.search(r"\d\.\d", str(problem.value))
    assert re.search(r"balance was \d+.*should be 140.75", problem.value.figures)


def test_a_server_that_computes_anew_is_believed_only_where_it_tells_of_the_merge(newest, journal):
    """From 2026 on the figures are those of the documents: a counter that had drifted is put right by a merge."""
    for lost in (False, True):
        pair = two(newest)
        path = f"POST /api/v1/clients/{pair[0]}/{pair[1]}/merge"
        booked = Meanwhile(path, lambda one=pair[0]: newest.balances({"id": one}, balance="200"))
        api = newest.api(journal, transport=booked)
        newest.switch(faults=[{"do": "reset", "on": MERGE, "after_bytes": 0}] if lost else [])
        assert merged(api, pair).balance == Decimal("240.5")
        assert journal.last == [(one, Outcome.APPLIED) for one in pair]
        assert ask_what_happened(api, journal.calls[-1]) == journal.last
        api.door.close()
    purged = two(newest)
    gone = Meanwhile("POST", lambda: newest.call("POST", f"/api/v1/clients/{purged[1]}/purge"))
    api = newest.api(journal, transport=gone)
    with pytest.raises(NotVerified, match="are not the sum"):
        merged(api, purged)
    api.door.close()


def test_a_client_that_is_gone_when_the_call_comes_is_looked_at_before_that_is_a_failure(box, other_api, journal):
    """Something on the way may have sent it twice, so that the second one is refused: 400, Client not found."""
    pair = two(box)
    path = f"/api/v1/clients/{pair[0]}/{pair[1]}/merge"
    assert merged(other_api(transport=Meanwhile(f"POST {path}", lambda: box.call("POST", path))), pair).balance == (
        Decimal("140.75")
    )
    assert journal.last == [(one, Outcome.APPLIED) for one in pair]
    other = two(box)
    into = box.make("Elsewhere")["id"]
    elsewhere = Meanwhile("POST", lambda: box.call("POST", f"/api/v1/clients/{into}/{other[1]}/merge"))
    with pytest.raises(NotVerified, match="are not the sum"):
        merged(other_api(transport=elsewhere), other)
    assert journal.last == [(other[0], Outcome.CONFLICT), (other[1], Outcome.APPLIED)]


def test_an_answer_of_200_without_a_merge_is_no_merge(box, api, pair, journal):
    box.switch(faults=[{"do": "empty", "on": MERGE}])
    with pytest.raises(NotVerified, match="has not merged"):
        merged(api, pair)
    assert journal.last == [(one, Outcome.NOT_APPLIED) for one in pair]


def test_a_refusal_of_the_server_is_one(box, api, pair, journal):
    box.switch(faults=[{"do": "status", "status": 422, "on": MERGE}])
    with pytest.raises(Invalid):
        merged(api, pair)
    assert journal.last == [(one, Outcome.REFUSED) for one in pair]


def test_a_merge_that_cannot_be_read_back_stays_open_until_it_can(box, api, journal):
    pair = two(box)
    down = {"do": "status", "status": 403, "on": "GET /clients/*", "nth": 7, "times": 9}
    box.switch(faults=[{"do": "reset", "on": MERGE, "after_bytes": 0}, down])
    with pytest.raises(OutcomeUnknown):
        merged(api, pair)
    assert len(journal.open) == 1
    box.switch(faults=[])
    assert ask_what_happened(api, journal.calls[0]) == [(one, Outcome.APPLIED) for one in pair]
