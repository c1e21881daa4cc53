"""A pull of several entities: each table equals the server's list, and none of them harms another."""

from __future__ import annotations

from decimal import Decimal

import httpx
import msgspec
import pytest

from flows.configuration.values import Retention
from flows.pull.report import exit_code_of, pulled_as_json, tell_pulled
from flows.pull.summary import summary_of
from schemas.entities import PULLED
from schemas.errors import NotAuthorised, ServerUnavailable
from tests.engines import address
from tests.flows.pull.test_reconcile import Rewriting
from warehouse.opened.open import open_place

ALL = ("clients", "invoices", "payments", "credits")


@pytest.fixture
def settings(settings, place):
    """All entities of receivables, on each engine."""
    source = msgspec.structs.replace(settings.sources["main"], entities=ALL)
    return msgspec.structs.replace(settings, warehouse=address(place), sources={"main": source})


@pytest.fixture
def query(place):
    def run(sql, **params):
        with open_place(place) as warehouse:
            return warehouse.rows(sql, params)

    return run


@pytest.fixture
def server(server):
    """A server with 12 clients; three of them have two sent invoices each, and the first has paid one of them."""
    people = list(server.clients())
    server.purge(*people[12:])
    server.people = people[:3]
    server.papers = [invoice(server, person) for person in server.people for _ in range(2)]
    server.paid = payment(server, server.papers[0], 60)
    server.switch(clock={"advance": 5})
    return server


def invoice(server, person, note="Delivered on Monday"):
    body = {"client_id": person, "public_notes": note, "line_items": [{"quantity": 1, "cost": 100, "notes": note}]}
    made = server.call("POST", "/api/v1/invoices", body)["data"]
    return server.call("POST", "/api/v1/invoices/bulk", {"action": "mark_sent", "ids": [made["id"]]})["data"][0]


def payment(server, paper, amount):
    body = {"client_id": paper["client_id"], "amount": amount}
    return server.call(
        "POST", "/api/v1/payments", body | {"invoices": [{"invoice_id": paper["id"], "amount": amount}]}
    )["data"]


def refund(server, paid, paper, amount):
    uses = [{"invoice_id": paper["id"], "amount": amount}]
    body = {"id": paid["id"], "amount": amount, "date": "2026-11-29", "invoices": uses}
    server.call("POST", "/api/v1/payments/refund", body)
    server.switch(clock={"advance": 5})


def listed(server, entity):
    return server.call("GET", f"/api/v1/{entity}?per_page=5000&sort=id|asc")["data"]


FIGURES = {
    "clients": ("balance", "paid_to_date"),
    "invoices": ("client_id", "number", "status_id", "amount", "balance", "paid_to_date"),
    "payments": ("client_id", "number", "status_id", "amount", "applied", "refunded"),
    "credits": ("client_id", "number", "status_id", "amount", "balance"),
}


@pytest.fixture
def assert_equal_to_the_server(server, query):
    """Each table has the records of the server's list, with their figures and children."""

    def check():
        for entity, names in FIGURES.items():
            there = {record["id"]: tuple(record[name] for name in names) for record in listed(server, entity)}
            here = {row[0]: tuple(row[1:]) for row in query(f"select id, {', '.join(names)} from ninja.{entity}")}
            assert here == {key: tuple(value or None if value == "" else value for value in found)
                            for key, found in there.items()}, entity  # fmt: skip
        items = {(i["id"], n): Decimal(str(line["cost"])) for i in listed(server, "invoices")
                 for n, line in enumerate(i["line_items"], 1)}  # fmt: skip
        found = query("select invoice_id, place, cost from ninja.invoice_items")
        assert {(paper, place): cost for paper, place, cost in found} == items
        uses = {
            u["id"]: (p["id"], u["amount"], u["refunded"])
            for p in listed(server, "payments")
            for u in p["paymentables"]
        }
        found = query("select id, payment_id, amount, refunded from ninja.payment_applications")
        assert {key: tuple(rest) for key, *rest in found} == uses

    return check


def kinds(pulled):
    return {part.run.entity: part.run.kind for part in pulled.parts}


def test_a_first_pull_loads_every_entity_and_the_next_asks_once_for_each(
    server, pulls, query, assert_equal_to_the_server
):
    pulled = pulls()
    assert kinds(pulled) == dict.fromkeys(ALL, "full")
    assert_equal_to_the_server()
    server.requests()
    quiet = pulls()
    assert kinds(quiet) == dict.fromkeys(ALL, "idle")
    assert len(server.requests()) == len(ALL)
    runs = query("select entity, requests from control.runs where kind = 'idle'")
    assert runs == [("clients", len(ALL))]
    assert {part.run.run_id for part in quiet.parts} == {quiet.run.run_id}


def test_every_kind_that_the_server_lists_can_be_pulled(server, settings, pulls, query):
    source = msgspec.structs.replace(settings.sources["main"], entities=tuple(PULLED))
    everything = msgspec.structs.replace(settings, sources={"main": source})
    pulled = pulls(using=everything)
    assert [part.run.entity for part in pulled.parts] == list(PULLED)
    for name in PULLED:
        theirs = {record["id"] for record in listed(server, name)}
        assert {key for (key,) in query(f"select id from ninja.{name}")} == theirs
    assert set(kinds(pulls(using=everything)).values()) == {"idle"}


def test_only_what_has_changed_is_read_and_each_run_has_its_row(server, pulls, query, assert_equal_to_the_server):
    pulls()
    refund(server, server.paid, server.papers[0], 10)
    pulled = pulls()
    assert kinds(pulled) == {"clients": "pull", "invoices": "pull", "payments": "pull", "credits": "idle"}
    assert_equal_to_the_server()
    rows = query("select entity, kind, updated from control.runs order by finished_at desc, run_id limit 4")
    assert sorted(rows) == [
        ("clients", "pull", 1),
        ("credits", "idle", 0),
        ("invoices", "pull", 1),
        ("payments", "pull", 1),
    ]
    assert len({part.run.run_id for part in pulled.parts}) == len(ALL)


def test_each_version_of_a_document_is_kept_with_its_figures_and_what_changed(server, pulls, query):
    pulls()
    refund(server, server.paid, server.papers[0], 10)
    pulls()
    kept = query(
        "select entity, id, client_id, balance, refunded, ended_by from control.record_versions order by entity"
    )
    first, paid = server.papers[0], server.paid
    assert kept == [
        ("invoices", first["id"], first["client_id"], Decimal(40), None, "changed"),
        ("payments", paid["id"], paid["client_id"], None, Decimal(0), "changed"),
    ]
    changes = query("select entity, field, before, after from control.record_changes")
    assert ("invoices", "balance", "40", "50") in changes
    assert ("payments", "refunded", "0", "10") in changes
    joined = query(
        "select count(*) from control.record_versions as v join ninja.invoices as i "
        "on i.source = v.source and i.id = v.id and v.entity = 'invoices' and i.valid_from = v.valid_to"
    )
    assert joined == [(1,)]


def test_a_merge_moves_documents_and_none_vanishes(server, pulls, query, assert_equal_to_the_server):
    pulls()
    survivor, other, _ = server.people
    server.merge(survivor, other)
    server.switch(clock={"advance": 5})
    pulled = pulls()
    assert [part.run.vanished for part in pulled.parts] == [1, 0, 0, 0]
    assert_equal_to_the_server()
    assert query("select count(*) from ninja.invoices where client_id = $id", id=other) == [(0,)]


def test_documents_vanish_with_their_purged_client_and_need_no_brake(server, pulls, query, assert_equal_to_the_server):
    for _ in range(5):
        invoice(server, server.people[0])
    server.switch(clock={"advance": 5})
    pulls()
    server.purge(server.people[0])
    server.switch(clock={"advance": 5})
    pulled = pulls()
    assert exit_code_of(pulled) == 0
    assert_equal_to_the_server()
    away = query("select entity, client_id, evidence from control.vanished_records")
    assert {(entity, client) for entity, client, _ in away} == {(e, server.people[0]) for e in ("invoices", "payments")}
    assert all(server.people[0] in evidence for _, _, evidence in away)
    ended = query("select count(*) from control.record_versions where entity = 'invoices' and ended_by <> 'changed'")
    assert ended == [(len([entity for entity, _, _ in away if entity == "invoices"]),)]


@pytest.mark.parametrize(("strangers", "code", "stay"), [(3, 0, 0), (5, 3, 5)], ids=["few", "many"])
def test_missing_documents_of_present_clients_meet_the_brake(server, pulls, query, place, strangers, code, stay):
    pulls()
    with open_place(place) as warehouse:
        for number in range(strangers):
            columns = [name for (name,) in warehouse.rows(
                "select column_name from information_schema.columns "
                "where table_schema = 'ninja' and table_name = 'invoices' order by ordinal_position"
            )]  # fmt: skip
            taken = ", ".join(f"'Nobody{number}'" if name == "id" else f'"{name}"' for name in columns)
            warehouse.execute(
                f"insert into ninja.invoices select {taken} from ninja.invoices where id = $id",
                {"id": server.papers[0]["id"]},
            )
    pulled = pulls()
    assert exit_code_of(pulled) == code
    assert query("select count(*) from ninja.invoices where id like 'Nobody%'") == [(stay,)]
    assert query("select count(*) from control.unlisted where entity = 'invoices'") == [(stay,)]
    assert query("select count(*) from mart.unlisted_clients") == [(0,)]
    assert query("select not_listed from mart.entity_status where entity = 'invoices'") == [(stay,)]
    assert exit_code_of(pulls(full=True, at_most=5)) == 0
    assert query("select count(*) from ninja.invoices where id like 'Nobody%'") == [(0,)]


def test_documents_of_clients_that_were_never_read_meet_the_brake_too(server, pulls, query):
    many = len([invoice(server, server.people[0]) for _ in range(5)])
    server.switch(clock={"advance": 5}, faults=[{"on": "GET /clients", "every": True, "do": "status", "status": 500}])
    kept = []
    for purged in ((), server.people[:1]):
        server.purge(*purged)
        with pytest.raises(ServerUnavailable):
            pulls()
        kept += query("select count(*) from ninja.invoices where client_id = $id", id=server.people[0])
    assert kept == 2 * query("select count(*) from control.unlisted where entity = 'invoices'")
    assert kept[0][0] > many


def test_the_failure_of_one_entity_leaves_the_others_loaded_and_is_raised(
    server, pulls, query, assert_equal_to_the_server
):
    server.switch(faults=[{"on": "GET /invoices", "every": True, "do": "status", "status": 500}])
    with pytest.raises(ServerUnavailable, match=r"^Invoices: .* Loaded: clients, payments, credits\.$"):
        pulls()
    assert query("select entity from control.watermarks order by entity") == [("clients",), ("credits",), ("payments",)]
    assert query("select count(*) from control.runs where kind = 'idle'") == [(0,)]
    server.switch(faults=[])
    assert kinds(pulls()) == {"clients": "idle", "invoices": "full", "payments": "idle", "credits": "idle"}
    assert_equal_to_the_server()


class Cut(httpx.HTTPTransport):
    """Ctrl-C after so many requests for invoices."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def handle_request(self, request):
        self.left -= request.url.path.endswith("/invoices")
        if self.left < 0:
            raise KeyboardInterrupt
        return super().handle_request(request)


def test_an_interrupted_scan_of_one_entity_resumes_and_those_before_it_stay_loaded(
    server, settings, pulls, query, assert_equal_to_the_server
):
    source = msgspec.structs.replace(settings.sources["main"], page_size=3, connections=1)
    small = msgspec.structs.replace(settings, sources={"main": source})
    with pytest.raises(KeyboardInterrupt):
        pulls(using=small, transport=Cut(after=6))
    assert query("select entity from control.watermarks") == [("clients",)]
    first, second, *_ = pulls(using=small).parts
    assert first.run.kind == "idle"
    assert any("interrupted" in note for note in second.notes)
    assert_equal_to_the_server()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_a_time_zone_is_measured_once_and_holds_for_every_entity(
    server, pulls, query, assert_equal_to_the_server, zone
):
    server.switch(timezone=zone)
    pulls()
    ((skew,),) = query("select skew_seconds from control.sources")
    refund(server, server.paid, server.papers[0], 10)
    server.requests()
    pulls()
    assert query("select skew_seconds from control.sources") == [(skew,)]
    assert len([asked for asked in server.requests() if "/payments?" in asked]) <= 3
    assert_equal_to_the_server()


def test_a_token_that_sees_no_document_is_named_at_each_pull(server, pulls, capsys):
    user = server.call("POST", "/_sandbox/users", {"name": "Viewer", "permissions": "view_client,edit_client"})
    for _ in range(2):
        pulled = pulls(token=user["token"])
        assert exit_code_of(pulled) == 7
        assert [part.blind for part in pulled.parts] == [False, True, True, True]
        assert "no invoice or payment or credit is visible" in str(summary_of(pulled))
    tell_pulled(pulled)
    assert "lists no invoices to this token" in capsys.readouterr().err
    assert not any(part.blind for part in pulls().parts)


def test_a_list_without_a_record_for_this_token_is_not_said_to_be_loaded(server, pulls):
    pulls()
    with pytest.raises(NotAuthorised) as refused:
        pulls(token=server.box.viewer_token)
    assert "Loaded" not in str(refused.value)


def test_a_document_that_does_not_fit_waits_in_quarantine(server, pulls, query, assert_equal_to_the_server):
    bad = server.papers[1]["id"]

    def spoil(request, status, body):
        for record in body["data"] if request.url.path.endswith("/invoices") else ():
            if record["id"] == bad:
                record["amount"] = "much"
        return status, body

    pulled = pulls(transport=Rewriting(spoil))
    assert [(q.entity, q.id, q.field) for part in pulled.parts for q in part.quarantined] == [
        ("invoices", bad, "amount")
    ]
    assert [part.run.quarantine_open for part in pulled.parts] == [0, 1, 0, 0]
    assert query("select quarantined from mart.entity_status where entity = 'invoices'") == [(1,)]
    assert pulls(full=True).parts[1].run.quarantine_open == 0
    assert_equal_to_the_server()


def test_versions_of_documents_expire_like_those_of_clients(server, settings, pulls, query, place):
    pulls()
    refund(server, server.paid, server.papers[0], 10)
    kept = msgspec.structs.replace(settings, retention=Retention(record_days=1))
    pulls(using=kept)
    with open_place(place) as warehouse:
        warehouse.execute("update control.record_versions set valid_to = valid_to - interval '9 days'")
    pulls(using=kept)
    assert query("select distinct cast(record as varchar) from control.record_versions") == [("{}",)]
    pulls(using=msgspec.structs.replace(settings, retention=Retention(history_days=1)))
    assert query("select count(*) from control.record_versions") == [(0,)]


def test_a_source_that_pulled_clients_only_gets_the_others_at_its_next_pull(
    server, settings, pulls, assert_equal_to_the_server
):
    source = msgspec.structs.replace(settings.sources["main"], entities=("clients",))
    pulls(using=msgspec.structs.replace(settings, sources={"main": source}))
    assert kinds(pulls()) == {"clients": "idle", "invoices": "full", "payments": "full", "credits": "full"}
    assert_equal_to_the_server()


def test_documents_that_vanished_while_they_were_not_pulled_need_no_brake_later(
    server, settings, pulls, assert_equal_to_the_server
):
    for _ in range(5):
        invoice(server, server.people[0])
    server.switch(clock={"advance": 5})
    pulls()
    source = msgspec.structs.replace(settings.sources["main"], entities=("clients",))
    server.purge(server.people[0])
    server.switch(clock={"advance": 5})
    pulls(using=msgspec.structs.replace(settings, sources={"main": source}))
    assert exit_code_of(pulls()) == 0
    assert_equal_to_the_server()


def test_the_report_names_the_entities_that_changed(server, pulls, capsys):
    pulls()
    refund(server, server.paid, server.papers[0], 10)
    pulled = pulls()
    tell_pulled(pulled)
    told = capsys.readouterr().err
    assert "main: payments: 0 new, 1 changed" in told
    assert "credits" not in told
    assert pulled_as_json(pulled)["others"]["invoices"]["run"]["updated"] == 1
    assert "payments: 0 new, 1 changed" in str(summary_of(pulled))
    assert summary_of(pulled).fields["payments.refunded"] == 1
    tell_pulled(pulls())
    assert capsys.readouterr().err == "main: nothing has changed (4 requests).\n"
