"""A token that sees no client gets an empty list, as an honest empty company sends it."""

from __future__ import annotations

import json

import pytest

from flows.pull.report import exit_code_of
from flows.pull.summary import summary_of
from tests.engines import address

EVERYTHING = {"is_admin": True}


@pytest.fixture
def ninja(call, place, server, monkeypatch):
    """`ninja-sync … --json` with a token of a new user with these rights, on each engine: exit code and answer."""
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", address(place))

    def run(*args, **rights):
        user = server.call("POST", "/_sandbox/users", {"name": "Somebody", **rights})
        monkeypatch.setenv("NINJA_SYNC_TOKEN", user["token"])
        code, out = call(*args, "--json")
        return code, json.loads(out)

    return run


@pytest.mark.parametrize("rights", [{}, {"permissions": "create_client,view_invoice"}], ids=["none", "others"])
def test_a_pull_that_sees_no_client_for_want_of_rights_says_so(ninja, rights):
    code, told = ninja("pull", **rights)
    assert (code, told["main"]["run"]["mirrored"]) == (7, 0)
    assert any("Use a token of an owner or administrator" in note for note in told["main"]["notes"])
    code, told = ninja("pull", **EVERYTHING)
    assert (code, told["main"]["run"]["inserted"], told["main"]["notes"]) == (0, 120, [])


@pytest.mark.proof
@pytest.mark.parametrize("rights", [EVERYTHING, {"permissions": "view_all"}], ids=["administrator", "view_all"])
def test_an_honest_empty_company_is_pulled_without_a_word(server, ninja, rights):
    server.purge(*server.clients())
    for _ in range(2):
        code, told = ninja("pull", **rights)
        assert (code, told["main"]["run"]["mirrored"], told["main"]["notes"]) == (0, 0, [])


def test_a_token_that_loses_its_rights_takes_nothing_out_and_is_named(ninja):
    ninja("pull", **EVERYTHING)
    code, told = ninja("pull")
    assert (code, told["main"]["run"]["mirrored"]) == (3, 120)
    assert "may not see 120 clients" in str(told["main"])
    assert "--at-most" not in str(told["main"])  # nobody is advised to remove them
    assert any("Use a token of an owner or administrator" in note for note in told["main"]["notes"])


@pytest.mark.proof
def test_a_scheduled_pull_that_sees_no_client_needs_a_look(server, pulls):
    user = server.call("POST", "/_sandbox/users", {"name": "Somebody"})
    pulled = pulls(token=user["token"])
    assert (exit_code_of(pulled), summary_of(pulled).needs_a_look) == (7, True)
    assert "no client is visible to this token" in str(summary_of(pulled))


@pytest.mark.proof
@pytest.mark.parametrize(
    ("rights", "state", "words"),
    [
        ({}, "bad", "sees no client"),
        ({"permissions": "view_client,view_invoice"}, "note", "so there may be others"),
        ({"permissions": "view_all"}, "good", "sees 120 clients"),
    ],
)
def test_doctor_tells_what_a_token_may_see(ninja, rights, state, words):
    code, told = ninja("doctor", **rights)
    (found,) = (check for check in told["main"] if check["name"] == "rights")
    assert (found["state"], words in found["found"], code != 0) == (state, True, state == "bad")
