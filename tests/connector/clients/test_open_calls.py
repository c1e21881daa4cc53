"""What became of a call that was never settled is told by the server's records, or left to a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from connector import clients
from connector.api.api import Api
from connector.clients.open_calls import ask_what_happened
from connector.door.door import Door
from schemas.errors import OutcomeUnknown
from schemas.journal import Call, Edit, Outcome
from schemas.values import to_json
from tests.noted import Noted

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Killed(BaseException):
    """The process ends here."""


class Dying(Noted):
    """A journal whose process dies before the call, or after it."""

    def settle(self, *_settled):
        raise Killed


def cut_off(api, write, *, sent):
    """The call that a write leaves open whose process was killed after it was sent, or before; as it was kept."""
    journal = Dying()
    broken = Api(_Shut(api.door) if not sent else api.door, journal, api.password)
    with pytest.raises(Killed):
        write(broken)
    (call,) = journal.open
    return replace(call, edits=[Edit(one.client_id, kept(one.before), kept(one.after)) for one in call.edits])


def kept(fields):
    """Fields as the warehouse keeps them: JSON text."""
    return msgspec.json.Decoder(dict, float_hook=Decimal).decode(to_json(fields))


class _Shut:
    """A door through which reading goes, and nothing else."""

    def __init__(self, door: Door) -> None:
        self.get, self._door = door.get, door

    def post(self, path, json=None, **more):
        if path.endswith("/current"):
            return self._door.post(path, json, **more)
        raise Killed

    def put(self, *_args, **_more):
        raise Killed

    def delete(self, _path):
        raise Killed


@pytest.fixture
def pair(box):
    made = [box.make(name) for name in ("A", "B")]
    box.balances(made[0], balance="5")
    box.balances(made[1], balance="7")
    return [one["id"] for one in made]


def nowhere(_saved):
    pass


WRITES = {
    "create": lambda api, ids: clients.create(api, {"name": "Made", "number": f"made-{ids[0]}"}),
    "update": lambda api, ids: clients.update(api, ids[0], {"city": "Bern", "payment_terms": 30}),
    "archive": clients.archive,
    "delete": clients.delete,
    "delete one": lambda api, ids: clients.delete_one(api, ids[0]),
    "bulk_update": lambda api, ids: clients.bulk_update(api, ids, "custom_value1", "gold"),
    "purge": lambda api, ids: clients.purge(api, ids[0], backup=nowhere),
    "merge": lambda api, ids: clients.merge(api, *ids, backup=nowhere),
}


@pytest.mark.parametrize("sent", [True, False], ids=["killed after it", "killed before it"])
@pytest.mark.parametrize("verb", WRITES)
def test_a_call_whose_process_was_killed_is_told_by_reading_alone(box, api, pair, verb, sent):
    call = cut_off(api, lambda broken: WRITES[verb](broken, pair), sent=sent)
    box.requests()
    outcomes = ask_what_happened(api, call)
    assert {outcome for _, outcome in outcomes} == {Outcome.APPLIED if sent else Outcome.NOT_APPLIED}
    assert len(outcomes) == len(call.edits)
    assert all(one.startswith("GET") for one in box.requests())


def test_restore_and_assign_group_too(box, api, pair):
    box.bulk("delete", *pair)
    call = cut_off(api, lambda broken: clients.restore(broken, pair), sent=True)
    assert ask_what_happened(api, call) == [(one, Outcome.APPLIED) for one in pair]
    group = box.call("GET", "/api/v1/group_settings")["data"][0]["id"]
    call = cut_off(api, lambda broken: clients.assign_group(broken, pair, group), sent=False)
    assert ask_what_happened(api, call) == [(one, Outcome.NOT_APPLIED) for one in pair]


def test_each_client_of_a_call_is_told_by_itself(box, api, pair):
    third = box.make("C")["id"]
    call = cut_off(api, lambda broken: clients.archive(broken, [*pair, third]), sent=False)
    box.bulk("archive", pair[0])
    box.bulk("delete", pair[1])
    assert ask_what_happened(api, call) == [
        (pair[0], Outcome.APPLIED), (pair[1], Outcome.CONFLICT), (third, Outcome.NOT_APPLIED),
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["update", "archive", "bulk_update"])
def test_a_client_that_is_gone_since_is_a_conflict(box, api, pair, verb):
    call = cut_off(api, lambda broken: WRITES[verb](broken, pair), sent=False)
    box.call("POST", f"/api/v1/clients/{pair[0]}/purge")
    assert ask_what_happened(api, call)[0] == (pair[0], Outcome.CONFLICT)


def test_what_somebody_else_has_written_since_is_a_conflict(box, api, pair):
    call = cut_off(api, lambda broken: WRITES["update"](broken, pair), sent=False)
    client = box.show(pair[0])
    box.call("PUT", f"/api/v1/clients/{pair[0]}", {"city": "Basel", "settings": client["settings"]})
    assert ask_what_happened(api, call) == [(pair[0], Outcome.CONFLICT)]


def test_a_client_that_was_made_otherwise_is_a_conflict(box, api, pair):
    call = cut_off(api, lambda broken: WRITES["create"](broken, pair), sent=False)
    other = box.make("Other", number=f"made-{pair[0]}")["id"]
    assert ask_what_happened(api, call) == [(other, Outcome.CONFLICT)]


def test_what_the_records_do_not_tell_is_left_to_a_person(api, pair):
    keyless = cut_off(api, lambda broken: clients.create(broken, {"name": "No key"}), sent=True)
    assert ask_what_happened(api, keyless) is None
    assert ask_what_happened(api, Call("reactivate_email", [Edit(pair[0])])) is None
    merge = cut_off(api, lambda broken: WRITES["merge"](broken, pair), sent=False)
    survivor, other = merge.edits
    moved = replace(survivor, before={**survivor.before, "balance": 4})
    assert ask_what_happened(api, Call("merge", [moved, other])) is None


def test_a_merge_without_a_trace_is_asked_for_again_while_it_may_be_under_way(box, api, pair):
    call = cut_off(api, lambda broken: WRITES["merge"](broken, pair), sent=False)
    slept = []
    assert ask_what_happened(api, call, patience=30, sleep=slept.append) == [(one, Outcome.NOT_APPLIED) for one in pair]
    assert sum(slept) == 30

    def ended(_seconds):
        if any(one["id"] == pair[1] for one in box.call("GET", "/api/v1/clients?per_page=5000")["data"]):
            box.call("POST", f"/api/v1/clients/{pair[0]}/{pair[1]}/merge")

    assert ask_what_happened(api, call, patience=30, sleep=ended) == [(one, Outcome.APPLIED) for one in pair]


def test_a_client_that_is_still_being_made_is_waited_for(box, api, pair):
    call = cut_off(api, lambda broken: WRITES["create"](broken, pair), sent=False)
    slept = []
    assert ask_what_happened(api, call, patience=30, sleep=slept.append) == [("", Outcome.NOT_APPLIED)]
    assert sum(slept) == 30
    made = []

    def arrives(seconds):
        slept.append(seconds)
        made.append(box.make("Made", number=f"made-{pair[0]}")["id"])

    slept.clear()
    assert ask_what_happened(api, call, patience=30, sleep=arrives) == [(made[0], Outcome.APPLIED)]
    assert len(slept) == 1


def test_files_that_are_still_being_stored_are_waited_for(api, pair):
    client = pair[0]
    call = Call("upload", [Edit(client, {"documents": []}, {"documents": ["one.png", "two.png"]})])
    slept = []

    def arrives(seconds):
        slept.append(seconds)
        api.door.upload(f"/clients/{client}/upload", "one.png", PNG, repeatable=False)

    assert ask_what_happened(api, call, patience=30, sleep=arrives) == [(client, Outcome.APPLIED)]
    assert len(slept) == 2


def test_what_the_records_never_tell_is_not_waited_for(api, pair):
    keyless = cut_off(api, lambda broken: clients.create(broken, {"name": "No key"}), sent=True)
    slept = []
    assert ask_what_happened(api, keyless, patience=30, sleep=slept.append) is None
    assert ask_what_happened(api, Call("upload", [Edit(pair[0])]), patience=30, sleep=slept.append) is None
    assert slept == []


def test_settling_tells_the_same_however_often(api, pair):
    call = cut_off(api, lambda broken: WRITES["merge"](broken, pair), sent=True)
    assert ask_what_happened(api, call) == ask_what_happened(api, call) == [(one, Outcome.APPLIED) for one in pair]


def test_an_open_call_is_no_error_of_the_next_one(box, api, journal, pair):
    box.switch(faults=[{"do": "status", "status": 403, "on": "GET /clients/*", "nth": 3, "times": 9}])
    with pytest.raises(OutcomeUnknown):
        clients.update(api, pair[0], {"city": "Bern"})
    box.switch(faults=[])
    (call,) = journal.open
    assert ask_what_happened(api, call) == [(pair[0], Outcome.APPLIED)]


def test_an_upload_is_told_by_the_documents_that_are_new(box, api, pair):
    client = pair[0]
    call = Call("upload", [Edit(client, {"documents": []}, {"documents": ["one.png", "two.png"]})])
    assert ask_what_happened(api, call) == [(client, Outcome.NOT_APPLIED)]
    for expected in (Outcome.CONFLICT, Outcome.APPLIED):  # one of two, both
        api.door.upload(f"/clients/{client}/upload", "one.png", PNG, repeatable=False)
        assert ask_what_happened(api, call) == [(client, expected)]
    known = [one["id"] for one in box.show(client)["documents"]]
    assert ask_what_happened(api, Call("upload", [Edit(client, {"documents": known}, {"documents": ["x"]})])) == [
        (client, Outcome.NOT_APPLIED)
    ]
    assert ask_what_happened(api, Call("upload", [Edit(client, {}, {"file": "one.png"})])) is None
