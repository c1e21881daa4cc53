"""Clients that vanish from the server: what became of them is found out, and nobody is taken out who is still there."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest

from flows.ask.balances import read_balances
from flows.configuration.load import place_of
from flows.session.clock import Clock
from flows.session.door import base_url_of
from flows.setup.doctor import examine
from sandbox.server import running
from schemas.errors import NotAuthorised, TooMuchChange, UnexpectedShape
from tests.engines import Files
from tests.flows.conftest import Server
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.place import reader_of

pytestmark = pytest.mark.slow

MAILS = "name is not null and exists (select 1 from ninja.contacts k where k.client_id = c.id and k.email is not null)"


ENCODER = msgspec.json.Encoder(decimal_format="number")


class Rewriting(httpx.BaseTransport):
    """The real wire, with answers rewritten on the way: `rewrite(request, status, body)` gives (status, body)."""

    def __init__(self, rewrite):
        self.real, self.rewrite = httpx.HTTPTransport(), rewrite

    def handle_request(self, request):
        answer = self.real.handle_request(request)
        content = b"".join(answer.stream)
        answer.close()
        status, body = self.rewrite(request, answer.status_code, json.loads(content, parse_float=Decimal))
        told = {k: answer.headers[k] for k in ("content-type", "date", "x-app-version")}
        return httpx.Response(status, headers=told, content=ENCODER.encode(body))

    def close(self):
        self.real.close()


class Hiding(Rewriting):
    """A server that does not show some clients to this token: they are not in its lists, and each is answered 401."""

    def __init__(self, ids):
        super().__init__(self.hide)
        self.ids = ids

    def handle_request(self, request):
        self.wanted = int(request.url.params.get("per_page", 20))
        if request.url.path.endswith("/clients"):
            more = request.url.copy_set_param("per_page", self.wanted + len(self.ids))
            request = httpx.Request(request.method, more, headers=request.headers, extensions=request.extensions)
        return super().handle_request(request)

    def hide(self, request, status, body):
        if request.url.path.rsplit("/", 1)[-1] in self.ids:
            return 401, {"message": "This action is unauthorized."}
        if request.url.path.endswith("/clients"):
            body["data"] = [c for c in body["data"] if c["id"] not in self.ids][: self.wanted]
            body["meta"]["pagination"]["per_page"] = self.wanted
            body["meta"]["pagination"]["total"] -= len(self.ids)
        return status, body


@pytest.fixture
def server(pulled_once, tmp_path):
    """A copy of the sandbox from which a warehouse was pulled."""
    with running(database=Path(shutil.copy(pulled_once[0], tmp_path))) as box:
        yield Server(box)


@pytest.fixture
def settings(settings, pulled_once):
    """With a copy of that warehouse, told that its server is at the port of this one."""
    place = place_of(settings)
    Files().put_back(pulled_once[1], place)
    with open_warehouse(place) as warehouse:
        url = base_url_of(settings.sources["main"])
        warehouse.execute("update control.sources set base_url = $url", {"url": url})
    return settings


@pytest.fixture
def people(server, query):
    """After a first pull: the ids of clients with a name and a mail of their own, and a pause in the server's time."""
    server.switch(clock={"advance": 100})
    server.requests()
    return [str(key) for (key,) in query(f"select c.id from ninja.clients c where {MAILS} order by c.id")]


@pytest.fixture
def redirects(query):
    def read():
        found = query("select id, kind, into_id, current_id, evidence from mart.client_redirects")
        return {str(key): tuple(rest) for key, *rest in found}

    return read


@pytest.fixture
def exact(server, query):
    """Whether the mirror has exactly the server's clients and contacts."""

    def check():
        real = server.clients()
        assert {str(k) for (k,) in query("select id from ninja.clients")} == set(real)
        contacts = {(k["id"], c["id"]) for c in real.values() for k in c["contacts"]}
        assert set(query("select id, client_id from ninja.contacts")) == contacts

    return check


def test_a_purged_client_is_taken_out_and_stays_in_the_history(server, pulls, query, people, redirects, exact):
    ((name,),) = query("select display_name from ninja.clients where id = $id", id=people[3])
    server.purge(people[3])
    pulled = pulls()
    assert [(d.id, d.name, d.kind, d.into_id) for d in pulled.departed] == [(people[3], name, "gone", None)]
    assert (pulled.run.vanished, pulled.left, pulled.needs_a_look) == (1, 0, False)
    assert redirects() == {people[3]: ("gone", None, None, "the server no longer knows it")}
    assert query("select display_name, is_current, ended_by from mart.client_history where id = $id", id=people[3]) == [
        (name, False, "gone")
    ]
    exact()
    assert pulls().run.kind == "idle"  # everything is known: nothing is read again


@pytest.mark.proof
def test_a_merged_client_is_found_with_its_survivor_without_reading_everything(server, pulls, people, redirects, exact):
    server.merge(people[0], people[1])
    pulled = pulls()
    assert redirects() == {people[1]: ("merged", people[0], people[0], "contacts moved, ledger note")}
    assert (pulled.run.kind, len(pulled.departed)) == ("pull", 1)
    assert pulled.run.requests < 9
    exact()


@pytest.mark.proof
def test_a_merge_that_moved_no_contact_is_told_by_the_survivors_ledger(server, pulls, people, redirects, exact):
    real = server.clients()
    server.edit(real[people[1]], contacts=[{"first_name": "Only", "last_name": "Named"}])
    server.call("POST", f"/_sandbox/clients/{people[1]}/balances", {"balance": "123.45"})
    server.switch(clock={"advance": 10})
    pulls()
    server.switch(clock={"advance": 10})
    server.merge(people[0], people[1])
    pulled = pulls()
    assert redirects() == {people[1]: ("merged", people[0], people[0], "ledger note")}
    assert pulled.run.kind == "full"
    exact()


@pytest.mark.proof
def test_chains_of_merges_lead_to_the_client_that_is_there(server, pulls, people, redirects, exact):
    a, b, c, d = people[:4]
    server.merge(b, a)
    server.merge(c, b)  # both between two pulls
    pulls()
    found = redirects()
    assert found[b] == ("merged", c, c, "contacts moved, ledger note")
    assert found[a] == ("merged", c, c, "contacts moved, through another merge")
    server.switch(clock={"advance": 10})
    server.merge(d, c)
    pulls()
    assert {key: row[2] for key, row in redirects().items()} == {a: d, b: d, c: d}
    exact()
    server.switch(clock={"advance": 10})
    server.purge(d)
    pulls()
    assert {key: row[2] for key, row in redirects().items()} == {a: None, b: None, c: None, d: None}
    exact()


def test_two_merges_of_clients_with_one_name_are_both_told_and_a_purge_is_not_taken_for_a_third(
    server, pulls, people, redirects
):
    real = server.clients()
    keeper, *same = people[:4]
    for one in same:
        server.edit(real[one], name="Acme", contacts=[{"first_name": "Only", "last_name": "Named"}])
        server.call("POST", f"/_sandbox/clients/{one}/balances", {"balance": "123.45"})
    server.switch(clock={"advance": 10})
    pulls()
    server.switch(clock={"advance": 10})
    server.merge(keeper, same[0])
    pulls()
    server.switch(clock={"advance": 10})
    server.merge(keeper, same[1])
    server.purge(same[2])
    pulls(at_most=10)
    kinds = {key: row[:2] for key, row in redirects().items()}
    assert kinds[same[0]] == ("merged", keeper)
    assert sorted([kinds[same[1]][0], kinds[same[2]][0]]) == ["gone", "merged"]


@pytest.mark.proof
def test_a_contact_that_was_taken_over_does_not_make_a_purge_a_merge(server, pulls, people, redirects, exact):
    real = server.clients()
    thief, owner = real[people[0]], real[people[1]]
    stolen = {"id": owner["contacts"][0]["id"], "email": owner["contacts"][0]["email"], "is_primary": False}
    kept = [{"id": c["id"], "is_primary": c["is_primary"]} for c in thief["contacts"]]
    server.edit(thief, contacts=[*kept, stolen])
    server.switch(clock={"advance": 10})
    pulls()
    server.switch(clock={"advance": 10})
    server.purge(owner["id"])
    pulls()
    assert redirects() == {owner["id"]: ("gone", None, None, "the server no longer knows it")}
    exact()


@pytest.mark.proof
def test_a_client_whose_contact_was_taken_over_by_one_that_is_gone_too_is_no_merge(server, pulls, people, redirects):
    real = server.clients()
    thief, owner = real[people[0]], real[people[1]]
    stolen = {"id": owner["contacts"][0]["id"], "email": owner["contacts"][0]["email"], "is_primary": False}
    kept = [{"id": c["id"], "is_primary": c["is_primary"]} for c in thief["contacts"]]
    server.edit(thief, contacts=[*kept, stolen])
    server.switch(clock={"advance": 10})
    pulls()
    server.switch(clock={"advance": 10})
    server.purge(owner["id"], thief["id"])
    pulls()
    assert {key: row[:2] for key, row in redirects().items()} == {
        owner["id"]: ("gone", None),
        thief["id"]: ("gone", None),
    }


def test_a_ledgers_note_of_another_merge_does_not_make_a_purge_a_merge(server, pulls, people, redirects, exact):
    real = server.clients()
    thief, owner = real[people[0]], real[people[1]]
    server.merge(thief["id"], people[2])
    stolen = {"id": owner["contacts"][0]["id"], "email": owner["contacts"][0]["email"], "is_primary": False}
    kept = [{"id": c["id"], "is_primary": c["is_primary"]} for c in server.clients()[thief["id"]]["contacts"]]
    server.edit(thief, contacts=[*kept, stolen])
    server.switch(clock={"advance": 10})
    pulls()
    server.switch(clock={"advance": 10})
    server.purge(owner["id"])
    pulls()
    assert {key: row[:2] for key, row in redirects().items()} == {
        people[2]: ("merged", thief["id"]),
        owner["id"]: ("gone", None),
    }
    exact()


def test_more_than_the_brake_allows_is_left_and_told_until_somebody_decides(
    server, settings, pulls, query, people, exact
):
    server.purge(*people[:4])  # of 120: three may go
    server.edit(server.clients()[people[9]], city="Bern")
    pulled = pulls()
    assert isinstance(pulled.held, TooMuchChange)
    assert "4 clients" in str(pulled.held)
    assert "--at-most 4" in str(pulled.held)
    assert (pulled.left, pulled.departed, pulled.run.vanished) == (4, [], 0)
    assert {one.id for one in pulled.unlisted} == set(people[:4])
    assert query("select count(*), min(why), max(why) from mart.unlisted_clients") == [(4, "held", "held")]
    held = read_balances(settings, None, top=3)["not_listed"]
    assert sum(row["clients"] for row in held.records()) == 4
    assert sum(row["net"] for row in held.records()) == sum(one.balance for one in pulled.unlisted)
    assert all(row["owed"] - row["overpaid"] == row["net"] for row in held.records())
    assert "does not list 4 of them" in examine(settings, "main")[0].found
    assert query("select city from ninja.clients where id = $id", id=people[9]) == [("Bern",)]
    assert query("select count(*) from ninja.clients") == [(120,)]
    server.switch(clock={"advance": 10})
    pulls()
    server.requests()
    again = pulls()
    assert (again.run.kind, again.left, again.needs_a_look, again.held) == ("idle", 4, True, None)
    assert len(server.requests()) == 1
    assert pulls(full=True, at_most=3).held is not None
    assert pulls(full=True, at_most=4).left == 0
    assert "not_listed" not in read_balances(settings, None, top=3)
    exact()


@pytest.mark.proof
def test_one_more_vanished_client_is_looked_for_although_others_are_held(server, pulls, people):
    server.purge(*people[:4])
    assert pulls().left == 4
    server.purge(people[4])
    again = pulls()
    assert (again.left, again.held is not None) == (5, True)


def test_clients_hidden_from_this_token_are_never_taken_out(pulls, query, people, exact):
    pulled = pulls(transport=Hiding(people[:2]))
    assert pulled.held is None
    assert (pulled.left, pulled.departed, pulled.needs_a_look) == (2, [], True)
    assert any("This token may no longer see" in note for note in pulled.notes)
    exact()
    shown = pulls()
    assert (shown.left, shown.needs_a_look) == (0, False)


@pytest.mark.proof
def test_what_changed_while_it_was_hidden_is_read_when_it_is_shown_again(server, pulls, query, people, exact):
    pulls(transport=Hiding(people[:2]))
    server.edit(server.clients()[people[0]], city="Bern")
    server.switch(clock={"advance": 30_000})  # beyond the look-back
    server.edit(server.clients()[people[9]], city="Basel")
    assert pulls(transport=Hiding(people[:2])).left == 2
    shown = pulls()
    assert (shown.left, shown.run.kind) == (0, "full")
    assert query("select count(*) from mart.unlisted_clients") == [(0,)]
    exact()


@pytest.mark.proof
def test_what_is_listed_again_is_looked_for_again_when_it_goes(server, pulls, people):
    assert pulls(transport=Hiding(people[:2])).left == 2
    assert pulls().left == 0
    server.purge(people[5])
    assert [d.id for d in pulls().departed] == [people[5]]


@pytest.mark.proof
@pytest.mark.quick(where=lambda wrong_by: wrong_by == -1)
@pytest.mark.parametrize("wrong_by", [-1, 1, 500])
def test_a_total_that_is_wrong_takes_nobody_out_and_is_chased_once(server, pulls, people, exact, wrong_by):
    def miscounting(request, status, body):
        if request.url.path.endswith("/clients"):
            body["meta"]["pagination"]["total"] += wrong_by
        return status, body

    server.edit(server.clients()[people[0]], city="Bern")
    first = pulls(transport=Rewriting(miscounting))
    assert (first.departed, first.run.kind) == ([], "full")
    exact()
    server.edit(server.clients()[people[0]], city="Genf")
    second = pulls(transport=Rewriting(miscounting))
    assert (second.departed, second.run.kind) == ([], "pull")
    server.purge(people[1])
    assert [d.id for d in pulls(transport=Rewriting(miscounting)).departed] == [people[1]]
    exact()


@pytest.mark.proof
def test_a_server_that_lists_nobody_is_not_believed(pulls, query, people):
    def emptied(request, status, body):
        if request.url.path.endswith("/clients"):
            body["data"], body["meta"]["pagination"]["total"] = [], 0
        elif re.search(r"/clients/\w+$", request.url.path):
            return 400, {"message": "No query results for model [App\\Models\\Client]."}
        return status, body

    pulled = pulls(full=True, transport=Rewriting(emptied))
    assert "lists no clients at all" in str(pulled.held)
    assert query("select count(*) from ninja.clients") == [(120,)]


@pytest.mark.proof
@pytest.mark.parametrize("told", [None, 120])
def test_a_server_that_is_emptied_while_it_is_read_loses_nobody_until_somebody_says_so(server, pulls, people, told):
    server.purge(people[0])
    asked = []

    def emptied(request, status, body):
        if re.search(r"/clients/\w+$", request.url.path):
            asked.append(request.url.path)
            return 400, {"message": "No query results for model [App\\Models\\Client]."}
        if asked and request.url.path.endswith("/clients"):
            body["data"], body["meta"]["pagination"]["total"] = [], 0
        return status, body

    pulled = pulls(full=True, at_most=told, transport=Rewriting(emptied))
    assert ("lists no clients at all" in str(pulled.held)) == (told is None)
    assert [d.id for d in pulled.departed] == ([] if told is None else [people[0]])
    assert pulled.left == (told is None)


def test_a_server_that_denies_what_it_lists_is_not_believed(server, pulls, query, people):
    def denying(request, status, body):
        if re.search(r"/clients/\w+$", request.url.path):
            return 400, {"message": "No query results for model [App\\Models\\Client]."}
        return status, body

    server.purge(people[0])
    before = query("select count(*), max(finished_at) from control.runs where kind = 'full'")
    with pytest.raises(UnexpectedShape, match="denies a record"):
        pulls(full=True, transport=Rewriting(denying))
    assert query("select count(*), max(finished_at) from control.runs where kind = 'full'") == before
    assert query("select count(*) from ninja.clients") == [(120,)]


def test_a_restored_server_loses_nobody_until_somebody_says_so(server, pulls, query, people, exact):
    old = server.clients()[people[7]]
    server.edit(old, city="Bern")
    pulls()
    server.edit(server.clients()[people[7]], city=old["city"])  # the backup had the old city and stamp,
    server.stamp(people[7], old["updated_at"])
    server.purge(people[8])  # and did not have this client yet
    pulled = pulls()
    assert "restored" in str(pulled.held)
    assert (pulled.left, pulled.departed) == (1, [])
    assert query("select city from ninja.clients where id = $id", id=people[7]) == [(old["city"] or None,)]
    assert pulls(full=True, at_most=1).run.vanished == 1
    exact()


@pytest.mark.proof
def test_everything_is_read_again_after_the_days_that_are_set(server, pulls, people):
    assert pulls().run.kind != "full"
    later = datetime.now(UTC) + timedelta(days=8)
    server.switch(clock={"now": later.timestamp()})
    pulled = pulls(clock=Clock(now=lambda: later))
    assert (pulled.run.kind, pulled.run.received >= 120) == ("full", True)


@pytest.mark.proof
def test_a_client_that_is_new_while_the_scan_runs_is_no_reason_to_read_everything(server, pulls, people):
    server.edit(server.clients()[people[0]], city="Bern")
    made = []

    def creating(request, status, body):
        if "updated_at" in request.url.params and not made:
            made.append(server.call("POST", "/api/v1/clients", {"name": "New"}))
        return status, body

    pulled = pulls(transport=Rewriting(creating))
    assert made
    assert (pulled.run.kind, pulled.left, pulled.needs_a_look) == ("pull", 0, False)


def test_a_ledger_row_from_before_the_client_was_known_is_no_evidence(server, pulls, people, redirects):
    real = server.clients()
    keeper, first, second = people[:3]
    for one in (first, second):
        server.edit(real[one], name="Acme", contacts=[{"first_name": "Only", "last_name": "Named"}])
        server.call("POST", f"/_sandbox/clients/{one}/balances", {"balance": "123.45"})
    server.merge(keeper, first)
    server.switch(clock={"advance": 10})
    pulls()
    assert set(redirects()) == {first}
    server.switch(clock={"advance": 10})
    server.edit(server.clients()[second], city="Bern")
    pulls()
    server.purge(second)
    pulls()
    assert redirects()[second][:2] == ("gone", None)


@pytest.mark.proof
def test_a_ledger_that_cannot_be_sent_keeps_nobody_from_being_taken_out(server, pulls, people, redirects, exact):
    server.purge(people[3])

    def broken(request, status, body):
        return (500, {"message": "Server Error"}) if "include" in request.url.params else (status, body)

    assert [d.kind for d in pulls(transport=Rewriting(broken)).departed] == ["gone"]
    exact()


@pytest.mark.proof
def test_an_emptied_server_is_believed_when_somebody_says_so(server, pulls, query, people):
    server.purge(*server.clients())
    pulled = pulls()
    assert "lists no clients at all" in str(pulled.held)
    told = int(re.search(r"--at-most (\d+)", str(pulled.held))[1])
    assert pulls(full=True, at_most=told).run.vanished == 120
    assert query("select count(*) from ninja.clients") == [(0,)]


def test_what_was_held_is_not_taken_out_later_by_itself(server, pulls, people):
    old = server.clients()[people[7]]
    server.edit(old, city="Bern")
    pulls()
    server.stamp(people[7], old["updated_at"])  # a restored backup,
    server.purge(people[8])  # which did not have this client yet
    assert pulls().held is not None
    server.switch(clock={"advance": 8 * 86400})
    server.edit(server.clients()[people[7]], city="Genf")
    later = pulls()
    assert (later.run.kind, later.left, later.departed) == ("full", 1, [])
    assert "still does not list" in str(later.held)
    assert [d.id for d in pulls(full=True, at_most=1).departed] == [people[8]]


@pytest.mark.proof
def test_two_clients_made_by_mistake_and_purged_are_gone_without_a_question(server, pulls, people, redirects, exact):
    made = [server.call("POST", "/api/v1/clients", {"name": f"Mistake {n}"})["data"]["id"] for n in range(2)]
    pulls()
    server.purge(*made)
    pulled = pulls()
    assert (pulled.held, {d.id for d in pulled.departed}) == (None, set(made))
    exact()


@pytest.mark.proof
@pytest.mark.parametrize("meanwhile", ["a new client", "a purge"])
def test_what_happens_during_the_first_load_hides_no_later_purge(server, pulls, settings, exact, meanwhile):
    place_of(settings).unlink()
    done = []
    first, second = list(server.clients(status="active"))[:2]

    def changing(request, status, body):
        if request.url.params.get("sort") == "updated_at|asc" and not done:
            done.append(True)
            if meanwhile == "a purge":
                server.purge(first)
            else:
                server.call("POST", "/api/v1/clients", {"name": "New"})
        return status, body

    pulls(transport=Rewriting(changing))
    server.switch(clock={"advance": 10})
    server.purge(second)
    assert not pulls().needs_a_look
    exact()


@pytest.mark.proof
@pytest.mark.publishes
def test_a_sweep_that_fails_leaves_what_was_loaded_before_it_published(server, pulls, settings, people):
    server.edit(server.clients()[people[0]], city="Bern")
    server.purge(people[1])

    def broken(request, status, body):
        if re.search(r"/clients/\w+$", request.url.path):
            return 403, {"message": "Invalid token"}
        return status, body

    with pytest.raises(NotAuthorised):
        pulls(transport=Rewriting(broken))
    with open_warehouse(reader_of(place_of(settings)), read_only=True) as copy:
        assert copy.rows("select city from ninja.clients where id = $id", {"id": people[0]}) == [("Bern",)]


@pytest.mark.proof
def test_the_two_runs_of_one_pull_tell_their_own_requests_and_the_report_both(server, pulls, query, people):
    server.edit(server.clients()[people[0]], city="Bern")
    server.purge(people[1])
    pulled = pulls()
    each = [n for (n,) in query("select requests from control.runs order by finished_at desc limit 2")]
    assert pulled.run.requests == sum(each) > max(each)
