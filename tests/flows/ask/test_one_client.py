"""`ninja-sync client`: one client, found by whatever a person knows of it, with all that the warehouse has on it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from flows.ask.one_client import SECTIONS, read_client
from flows.ask.tell_client import tables_of, tell_client, tell_matches
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.show.show import amount
from sandbox.server import running
from schemas.errors import SettingsError
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from warehouse.opened.open import open_place

ENTITIES = ("clients", "invoices", "payments", "credits")
HOSTILE = "Evil \x1b[31m\u202e[bold]Ltd"
SHOWN = r"Evil \x1b[31m\u202e[bold]Ltd"


def using(settings, place, *, entities=ENTITIES, **sources):
    source = msgspec.structs.replace(settings.sources["main"], entities=entities)
    return msgspec.structs.replace(
        settings, warehouse=address(place), publish=False, sources={"main": source, **sources}
    )


class Scene:
    """A warehouse, and the clients that something was done to between its two pulls."""

    def __init__(self, server, settings, clients):
        self.server, self.settings = server, settings
        self.first, self.other, self.purged = clients

    def __call__(self, text, **more):
        return read_client(self.settings, text, **more)


@pytest.fixture(scope="module")
def kept(engine, tmp_path_factory):
    """Two pulls, on each engine: in between, a client was changed and took another one in, and a third was purged."""
    place = engine.new(tmp_path_factory.mktemp("one-client"))
    with running(clients=120, seed=5) as box:
        server = Server(box)
        source = Source(url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=ENTITIES)
        chosen = Settings(warehouse=address(place), publish=False, sources={"main": source})
        active = server.clients(status="active").values()
        first, other, purged = [client for client in active if client["balance"] > 0 and client["name"]][:3]
        server.edit(purged, shipping_city="Ulm")
        pull_from(server, chosen)
        server.switch(clock={"advance": 3600})
        server.edit(first, city="Bern", custom_value1="Ann Key")
        server.merge(first["id"], other["id"])
        server.purge(purged["id"])
        pull_from(server, chosen)
        yield Scene(server, chosen, (first, other, purged))
    engine.drop(place)


@pytest.fixture
def own(kept, engine, tmp_path):
    """The same in a warehouse that one test may change."""
    place = engine.copy(place_of(kept.settings), tmp_path / "own")
    chosen = msgspec.structs.replace(kept.settings, warehouse=address(place))
    yield Scene(kept.server, chosen, (kept.first, kept.other, kept.purged))
    engine.drop(place)


def rows(settings, sql, **params):
    with open_place(place_of(settings), read_only=True) as warehouse:
        columns, found = warehouse.answer(sql, params)
    return [dict(zip(columns, row, strict=True)) for row in found]


def change(settings, *statements):
    with open_place(place_of(settings)) as warehouse:
        for sql in statements:
            warehouse.execute(sql)


def test_a_client_is_found_by_number_id_name_and_mail_in_any_case(kept):
    mail = next(contact["email"] for contact in kept.first["contacts"] if contact["email"])
    name = kept.first["name"]
    for text in (kept.first["number"], kept.first["id"], name, name.upper(), f" {name.lower()} ", mail, mail.upper()):
        (match,) = kept(text).matches
        assert (match.source, match.id, match.kind) == ("main", kept.first["id"], None), text


def test_a_number_is_a_text_and_one_without_its_zeros_is_only_suggested(kept):
    number = kept.first["number"]
    assert number.startswith("0")
    answer = kept(number.lstrip("0"))
    assert (answer.client, answer.matches) == (None, [])
    assert answer.near[0].number == number


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(None, 8)])
def test_a_name_that_is_not_quite_right_is_suggested(kept, cut):
    answer = kept(kept.first["name"][cut])
    assert answer.client is None
    assert kept.first["id"] in {client.id for client in answer.near}
    assert kept("qqqq xxxx").near == []


def test_the_figures_are_exact_and_no_debt_is_netted(own):
    (row,) = rows(own.settings, "select * from mart.clients where id = $id", id=own.first["id"])
    figures = own(own.first["id"]).client.figures()
    assert (figures["balance"], figures["currency_code"]) == (row["balance"], row["currency_code"])
    assert (figures["owed"], figures["overpaid"]) == (row["balance"], 0)
    change(own.settings, f"update ninja.clients set balance = -12.345678 where id = '{own.first['id']}'")
    figures = own(own.first["id"]).client.figures()
    assert (figures["balance"], figures["owed"], figures["overpaid"]) == (
        Decimal("-12.345678"),
        0,
        Decimal("12.345678"),
    )


def test_the_json_has_all_rows_of_the_views(kept):
    client_id = kept.first["id"]
    document = kept(client_id).as_document()
    for key, view, column in (
        ("contacts", "contacts", "client_id"), ("open_items", "open_items", "client_id"),
        ("invoices", "invoices", "client_id"), ("payments", "payments", "client_id"),
        ("credits", "credits", "client_id"), ("versions", "client_history", "id"), ("changes", "client_changes", "id"),
    ):  # fmt: skip
        wanted = rows(kept.settings, f"select * from mart.{view} where {column} = $id", id=client_id)
        assert len(document[key]) == len(wanted), key
        for name in set(wanted[0]) & set(document[key][0]) - {"before", "after"} if wanted else ():
            assert Counter(row[name] for row in document[key]) == Counter(row[name] for row in wanted), name
    assert len(document["invoices"]) > 1
    assert len(document["changes"]) > 1
    (aging,) = rows(kept.settings, "select * from mart.aging where client_id = $id", id=client_id)
    assert document["aging"] == aging
    assert document["custom_fields"]["Account manager"] == "Ann Key"
    assert document["mirrored"] == sorted(ENTITIES)


def test_the_newest_rows_come_first_and_all_are_counted(kept):
    section = kept(kept.first["id"], top=1).client.sections["invoices"]
    (newest,) = rows(kept.settings, "select max(date) as day, count(*) as n from mart.invoices where client_id = $id",
                     id=kept.first["id"])  # fmt: skip
    assert ([row["date"] for row in section.rows], section.of_all) == ([newest["day"]], newest["n"])


def test_a_merged_client_says_where_it_went_and_the_other_one_where_it_came_from(kept):
    merged = kept(kept.other["number"]).client
    assert merged.state == "merged"
    assert (merged.redirect["current_id"], merged.redirect["into_id"]) == (kept.first["id"],) * 2
    assert merged.redirect["evidence"]
    assert {contact["email"] for contact in merged.sections["contacts"].rows} == {
        contact["email"].strip() or None for contact in kept.other["contacts"]
    }
    assert Decimal(str(kept.other["balance"])) == merged.figures()["balance"]
    (found,) = kept(kept.first["number"]).client.merged()
    assert (found["id"], found["number"], found["kind"]) == (kept.other["id"], kept.other["number"], "merged")
    assert merged.redirect["current_number"] == kept.first["number"]


def test_people_read_amounts_with_their_currency_fields_in_words_and_evidence_without_ids(own):
    change(
        own.settings, "update control.redirects set evidence = 'our own merge, call 50f610aa2f51' where kind = 'merged'"
    )
    client = own(own.first["id"]).client
    tables = {table.name: table for table in tables_of(client, top=50)}
    told = [dict(zip(tables["changes"].headings, row, strict=True)) for row in tables["changes"].rows]
    (balance,) = [row for row in told if row["field"] == "balance"]
    moved = client.sections["changes"].rows
    (raw,) = [row for row in moved if row["field"] == "balance"]
    assert balance["after"] == f"{amount(Decimal(raw['after']), client.currency)} {client.currency}"
    assert not any("_" in str(row["field"]) for row in told)
    merged = [dict(zip(tables["merged"].headings, row, strict=True)) for row in tables["merged"].rows]
    assert [row["evidence"] for row in merged] == ["merge by Ninja Sync"]


def test_of_merged_clients_the_number_is_shown_and_the_id_if_there_is_no_number(own, capsys):
    merged, kept_one = own.other, own.first
    tell_client(own(kept_one["id"]).client)
    shown = capsys.readouterr().out.partition("Clients merged into it")[2].partition("\n\n")[0]
    assert (merged["number"] in shown, merged["id"] in shown) == (True, False)
    change(
        own.settings,
        f"update ninja.clients set number = null where id = '{kept_one['id']}'",
        f"update control.client_versions set number = null where id = '{merged['id']}'",
    )
    tell_client(own(kept_one["id"]).client)
    assert merged["id"] in capsys.readouterr().out.partition("Clients merged into it")[2].partition("\n\n")[0]
    tell_client(own(merged["id"]).client)
    assert f"{kept_one['name']} ({kept_one['id']})" in capsys.readouterr().out


def test_the_state_is_one_word_everywhere_and_more_suggestions_are_counted(own, capsys):
    change(own.settings, f"update ninja.clients set archived_at = now() where id = '{own.first['id']}'")
    answer = own(own.first["name"][:-1])
    tell_matches(answer)
    shown = capsys.readouterr().out
    assert "present" not in shown
    assert own(own.first["id"]).client.state == "archived"
    assert next(near.state for near in answer.near if near.id == own.first["id"]) == "archived"
    many = own("plumbing")
    assert len(many.near) == 5 < many.near_of_all
    tell_matches(many)
    assert f"Did you mean one of these? (the 5 most alike of {many.near_of_all})\n" in capsys.readouterr().out


def test_a_client_that_is_gone_is_found_by_its_name_and_mail_too(kept):
    mail = next(contact["email"] for contact in kept.purged["contacts"] if contact["email"].strip())
    for text in (kept.purged["number"], kept.purged["name"].upper(), kept.purged["id"], mail.title()):
        client = kept(text).client
        assert (client.found.id, client.state) == (kept.purged["id"], "gone")
        assert (client.fields["city"] or "", client.redirect["into_id"]) == (kept.purged["city"], None)
        assert client.fields["shipping_city"] == "Ulm"


def test_a_client_that_is_present_goes_before_one_that_vanished(own):
    own.server.call("POST", "/api/v1/clients", {"name": own.other["name"], "number": "N-1"})
    pull_from(own.server, own.settings)
    assert own(own.other["name"]).client.found.number == "N-1"
    assert own(own.other["id"]).client.state == "merged"


def test_each_client_has_the_same_keys_in_json(kept):
    documents = [kept(one["id"]).as_document() for one in (kept.first, kept.other, kept.purged)]
    for key in (None, "fields", "figures"):
        parts = [document if key is None else document[key] for document in documents]
        assert {tuple(part) for part in parts} == {tuple(parts[0])}
    keys = [set(document["contacts"][0]) for document in documents if document["contacts"]]
    assert keys == [keys[0]] * len(keys)
    assert set(SECTIONS) - {"history"} <= set(documents[0])


WAITING = """
insert into control.plans (
    source, plan_id, made_at, expires_at, base_at, newest_at, author, reason, company, digest, state, kind
)
select 'main', plan_id, now(), now() + days * interval '1 day', now(), now(), 'uwe', 'tidy', 'co', 'd', state, kind
from (
    select 'push-1' as plan_id, 1 as days, 'planned' as state, 'push' as kind
    union all select 'push-2', -1, 'planned', 'push' union all select 'push-3', 1, 'applied', 'push'
    union all select 'merge-1', -1, 'applying', 'merge'
) as made;
insert into control.plan_cells
select 'main', plan_id, '{own}', 'city', '"Bern"', '"Ulm"', true from control.plans where kind = 'push';
insert into control.merge_steps values ('main', 'merge-1', 1, '{other}', '{own}', '{{}}', 'planned', null, null);
insert into control.outbox (source, id, field, value, author)
values ('main', '{own}', 'city', 'Genf', 'eva'), ('main', '{other}', 'city', 'Chur', 'eva'),
    ('other', '{own}', 'city', 'Thun', 'eva');
insert into control.duplicate_clusters values ('main', '{low}', '{low}', now()), ('main', '{low}', '{high}', now());
insert into control.duplicate_pairs
values ('main', '{low}', '{high}', 0.9, 'k', '["same phone"]', '[]', now(), false);
insert into control.duplicate_decisions
values ('main', '{low}', '{high}', 'later', 'eva', 'old', now() - interval '1 day'),
    ('main', '{low}', '{high}', 'never_merge', 'eva', 'new', now());
insert into control.quarantine
values ('main', 'clients', '{own}', 'balance', 'is missing', null, 'r', 'r', null),
    ('main', 'clients', '{own}', 'number', 'is missing', null, 'r', 'r', 'r2');
insert into control.unlisted (source, id, why, since_run_id) values ('main', '{own}', 'held', 'r');
insert into control.journal values ('main', 1, 'call', now(), 'eva@pc', 'push-3', 'update', 'intended', '[]', '');
insert into control.journal_edits
values ('main', 'call', 1, '{own}', '{{"city": "Bern"}}', '{{"city": "Ulm"}}', 'applied')
"""


def test_plans_changes_duplicates_and_calls_of_a_client_are_there_and_those_of_others_are_not(own, capsys):
    client_id = own.first["id"]
    other = next(row["id"] for row in rows(own.settings, "select id from ninja.clients") if row["id"] != client_id)
    low, high = sorted((client_id, other))
    change(own.settings, *WAITING.format(own=client_id, other=other, low=low, high=high).split(";"))
    document = own(client_id).as_document()
    assert sorted((row["plan_id"], row["what"], row["after"]) for row in document["plans"]) == [
        ("merge-1", "merged into", other), ("push-1", "city", "Ulm"),
    ]  # fmt: skip
    assert [(row["column"], row["value"], row["state"]) for row in document["queued"]] == [("city", "Genf", "waiting")]
    assert {row["id"] for row in document["duplicates"]} == {low, high}
    assert {tuple(row["reasons"]) for row in document["duplicates"]} == {("same phone",)}
    assert [(row["decision"], row["other_id"]) for row in document["decisions"]] == [("never_merge", other)]
    assert [(row["field"], row["reason"]) for row in document["quarantine"]] == [("balance", "is missing")]
    assert [(row["record_kind"], row["why"]) for row in document["unlisted"]] == [("client", "held")]
    assert [(row["verb"], row["before"], row["outcome"]) for row in document["journal"]] == [
        ("update", {"city": "Bern"}, "applied")
    ]
    tell_client(own(client_id).client)
    shown = capsys.readouterr().out
    for words in ("Plans that would change it", "Queued changes", "Group of duplicates", "never merge", "In quarantine",
                  "No longer listed", "Calls that wrote to it", "same phone", "90.0%"):  # fmt: skip
        assert words in shown


def test_a_client_without_any_stored_version_is_shown_with_the_little_that_is_known(own, capsys):
    columns = "source, id, kind, into_id, evidence, run_id, vanished_at"
    change(
        own.settings,
        *(
            "insert into control.quarantine "
            f"values ('main', 'clients', 'odd', '{name}', 'is missing', null, 'r', 'r', null)"
            for name in ("balance", "number")
        ),
        f"insert into control.redirects ({columns}) values ('main', 'bare', 'gone', null, 'no answer', 'r', now())",
    )
    odd, bare = own("odd").client, own("bare").client
    assert [(row["field"], odd.state) for row in odd.sections["quarantine"].rows] == [
        ("balance", "in quarantine"), ("number", "in quarantine"),
    ]  # fmt: skip
    assert (bare.state, bare.figures()["balance"], bare.redirect["evidence"]) == ("gone", None, "no answer")
    for client in (odd, bare):
        tell_client(client)
        assert json.dumps(client.as_document(), default=str)
    assert capsys.readouterr().out.count("is missing") == 2


def test_people_see_only_sections_with_rows_and_at_most_the_rows_they_asked_for(kept, capsys):
    client = kept(kept.first["id"], top=1).client
    tell_client(client, top=1)
    shown = capsys.readouterr().out
    for words in (f"Client {kept.first['number']} {kept.first['name']}", "owed", "Account manager", "Ann Key",
                  "Owed by days overdue", "Clients merged into it", "Invoices, the newest 1 of"):  # fmt: skip
        assert words in shown
    assert not [
        words for words in ("Group of duplicates", "Queued", "In quarantine", "listed by the server") if words in shown
    ]
    tell_client(kept(kept.other["id"]).client)
    shown = capsys.readouterr().out
    assert "is now part of" in shown
    assert f"{kept.first['name']} ({kept.first['number']})" in shown
    assert kept.first["id"] not in shown
    assert "last balance" in shown


def test_a_name_cannot_steer_the_terminal(settings, pulls, server, place, capsys):
    chosen = using(settings, place, entities=("clients",))
    made = server.call(
        "POST", "/api/v1/clients", {"name": HOSTILE, "city": HOSTILE, "contacts": [{"first_name": HOSTILE}]}
    )
    pulls(using=chosen)
    answer = read_client(chosen, HOSTILE)
    assert answer.client.found.id == made["data"]["id"]
    tell_client(answer.client)
    tell_matches(answer)
    shown = capsys.readouterr().out
    assert {letter for letter in shown if not letter.isprintable()} == {"\n"}
    assert shown.count(SHOWN) > 2


def test_without_documents_the_client_is_shown_and_it_says_so(settings, pulls, server, place, capsys):
    chosen = using(settings, place, entities=("clients",))
    pulls(using=chosen)
    client_id = next(iter(server.clients(status="active")))
    client = read_client(chosen, client_id).client
    assert (client.aging, client.sections["invoices"].of_all, client.mirrored) == (None, 0, ["clients"])
    tell_client(client)
    said = capsys.readouterr()
    assert "Not in the warehouse: invoices, payments, credits." in said.err
    assert "Invoices" not in said.out


def test_two_sources_with_the_same_number_are_listed_to_choose_from(settings, pulls, server, place, capsys):
    with running(clients=20, seed=7) as box:
        other = Source(url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=("clients",))
        chosen = using(settings, place, entities=("clients",), other=other)
        pulls(using=chosen)
        pull_from(Server(box), chosen, "other")
    answer = read_client(chosen, "0001")
    assert (answer.client, [match.source for match in answer.matches]) == (None, ["main", "other"])
    tell_matches(answer)
    shown = capsys.readouterr().out
    assert all(words in shown for words in ("2 clients match", "main", "other", "0001", answer.matches[0].id))
    assert read_client(chosen, "0001", "other").client.found.source == "other"
    assert read_client(chosen, answer.matches[0].id, "main").client.found.number == "0001"
    with pytest.raises(SettingsError, match="no source 'third'"):
        read_client(chosen, "0001", "third")


def test_the_command_shows_one_client_and_names_no_person_in_its_errors(command, server):
    assert command("pull")[0] == 0
    one = next(c for c in server.clients(status="active").values() if c["name"])
    code, out, err = command("client", one["number"])
    assert (code, one["name"] in out, err.startswith("Not in the warehouse")) == (0, True, True)
    code, out, _ = command("client", one["number"], "--json")
    document = json.loads(out)
    assert (code, document["id"], Decimal(document["figures"]["balance"])) == (
        0,
        one["id"],
        Decimal(str(one["balance"])),
    )
    code, out, err = command("client", one["name"][:-1])
    assert (code, "Did you mean" in out, one["name"] in out, one["name"][:-1] in err) == (2, True, True, False)
    assert "ninja-sync status" in err
    code, out, _ = command("client", one["name"][:-1], "--json")
    assert (code, list(json.loads(out)), json.loads(out)["near"][0]["id"]) == (2, ["matches", "near"], one["id"])
    assert command("client", *one["name"].split())[1] == command("client", one["name"])[1]
    assert command("client", " ")[0] == 2
    for name in ("Twin", "twin"):
        server.call("POST", "/api/v1/clients", {"name": name})
    assert command("pull")[0] == 0
    code, out, err = command("client", "TWIN")
    assert (code, "2 clients match" in out, "--source" in err, "win" in err) == (2, True, True, False)


def test_the_newest_version_comes_first(kept):
    versions = kept(kept.first["id"]).client.sections["history"].rows
    assert versions[0]["valid_from"] - versions[1]["valid_from"] >= timedelta(minutes=30)
