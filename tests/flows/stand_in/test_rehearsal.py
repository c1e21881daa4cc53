"""A sandbox that is filled with the user's own mirror."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ask.balances import read_balances
from flows.configuration.values import Settings, Source
from flows.stand_in.rehearsal import masking, read_stock
from sandbox.people.people import plain_letters
from sandbox.server import create_app, running
from schemas.errors import SettingsError, WarehouseError
from tests.flows.conftest import Server
from tests.sandbox.conftest import Api

MASK = masking(b"a key of a test")
STAYS = (
    "id", "number", "balance", "paid_to_date", "credit_balance", "payment_balance", "created_at", "updated_at",
    "archived_at", "is_deleted", "group_settings_id", "country_id", "size_id", "industry_id", "classification",
)  # fmt: skip


@pytest.fixture
def rehearsed(settings, pulls):
    pulls()
    with Api(create_app(stock=read_stock(settings, None, personal=False))) as api:
        yield api


def _everything(api) -> dict:
    text = api.get("/api/v1/clients?per_page=5000").text
    return {row["id"]: row for row in json.loads(text, parse_float=Decimal)["data"]}


def test_ids_figures_stamps_and_states_are_those_of_the_books(server, rehearsed):
    books, here = server.clients(), _everything(rehearsed)
    assert here.keys() == books.keys()
    for one, record in books.items():
        assert {k: here[one][k] for k in STAYS} == {k: record[k] for k in STAYS}
        assert [c["id"] for c in here[one]["contacts"]] == [c["id"] for c in record["contacts"]]
        assert here[one]["settings"].get("currency_id") == record["settings"].get("currency_id")
        assert len(here[one]["documents"]) == len(record["documents"])


def test_a_contact_that_was_taken_over_is_with_its_new_client_alone(server, settings, pulls):
    pulls()
    people = [c for c in server.clients(status="active").values() if c["contacts"][0]["email"].strip()]
    thief, owner = people[:2]
    stolen = owner["contacts"][0]
    kept = [{"id": c["id"], "is_primary": c["is_primary"]} for c in thief["contacts"]]
    server.edit(thief, contacts=[*kept, {"id": stolen["id"], "email": stolen["email"], "is_primary": False}])
    pulls()
    with Api(create_app(stock=read_stock(settings, None, personal=False))) as api:
        here = _everything(api)
    assert stolen["id"] in {c["id"] for c in here[thief["id"]]["contacts"]}
    assert stolen["id"] not in {c["id"] for c in here[owner["id"]]["contacts"]}


def test_with_personal_data_a_record_is_what_it_was(server, settings, pulls):
    pulls()
    with Api(create_app(stock=read_stock(settings, "main", personal=True))) as api:
        here = _everything(api)
    secret = {"client_hash", "gateway_tokens", "contacts", "documents"}
    for one, record in server.clients().items():
        told = {k: v for k, v in record.items() if k not in secret}
        assert {k: v for k, v in here[one].items() if k not in secret} == told


def test_canaries_appear_nowhere_in_the_answers(server, settings, pulls):
    canary = "Zwitscherling"
    one = next(iter(server.clients().values()))
    server.edit(
        one, name=f"{canary} GmbH", private_notes=f"ask {canary}", address1=f"{canary} 12", website=f"https://{canary}.com",
        custom_value1=canary, vat_number=f"DE{canary}", settings={**one["settings"], "email_footer": canary},
        contacts=[
            {"first_name": canary, "last_name": f"{canary}-Meyer", "email": f"{canary}@{canary}.org",
             "phone": "0301234567"},
        ],
    )  # fmt: skip
    pulls()
    with Api(create_app(stock=read_stock(settings, None, personal=False))) as api:
        text = api.get("/api/v1/clients?per_page=5000").text
    assert canary.lower() not in text.lower()
    assert "0301234567" not in text
    assert " GmbH" in text


def test_a_pull_of_it_has_the_same_balances_and_a_merge_works(server, settings, pulls, query, tmp_path):
    pulls()
    with _served(read_stock(settings, None, personal=False)) as box:
        other = Settings(
            warehouse=str(tmp_path / "rehearsal.duckdb"),
            sources={
                "rehearsal": Source(
                    url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=("clients",)
                )
            },
        )
        pulls(token=box.token, using=other, name="rehearsal")
        assert _by_currency(other) == _by_currency(settings)
        there = Server(box)
        first, second = [c for c in there.clients().values() if not c["is_deleted"]][:2]
        there.merge(first["id"], second["id"])
        report = pulls(token=box.token, using=other, name="rehearsal")
        assert report.run.vanished == 1


def _by_currency(settings):
    found = read_balances(settings, None, top=1)["by_currency"]
    return [[value for name, value in zip(found.columns, row, strict=True) if name != "source"] for row in found.rows]


def _served(stock):
    return running(stock=stock)


def test_a_source_that_is_not_there_and_a_warehouse_that_is_not_are_named(settings, pulls):
    with pytest.raises(WarehouseError, match="ninja-sync pull"):
        read_stock(settings, None, personal=False)
    pulls()
    with pytest.raises(SettingsError, match=r"no source 'other'.*main"):
        read_stock(settings, "other", personal=False)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--from-warehouse", "--clients", 5), "choose one"),
        (("--with-personal-data",), "go with --from-warehouse"),
        (("--from-warehouse",), "There is no warehouse"),
    ],
)
def test_options_that_do_not_fit_are_refused(command, args, told):
    code, _, stderr = command("sandbox", "--port", 0, *args)
    assert code in {2, 6}
    assert told in stderr


WORDS = st.text(st.characters(categories=["L", "Nd", "Zs"]), max_size=30) | st.text(max_size=30)


@given(st.lists(WORDS, min_size=2, max_size=8))
def test_equal_values_stay_equal_and_no_word_stays(texts):
    masked = [MASK({"private_notes": text, "contacts": [{"email": text}]}) for text in (*texts, *texts)]
    assert [one["private_notes"] for one in masked[: len(texts)]] == [
        one["private_notes"] for one in masked[len(texts) :]
    ]
    for text, one in zip(texts, masked, strict=False):
        before, after = (_long_words(each) for each in (text, one["private_notes"]))
        assert not any(a == b for a, b in zip(before, after, strict=False))


def _long_words(text: str) -> list[str]:
    return re.findall(r"[a-z]{4,}", unicodedata.normalize("NFC", text).lower())


@pytest.mark.parametrize(
    ("one", "other"), [("Müller GmbH", "MULLER GMBH"), ("Groß AG", "GROSS AG"), ("Łódź & Co", "Lodz & Co")]
)
def test_spellings_of_one_name_stay_spellings_of_one_name(one, other):
    first, second = (MASK({"name": name})["name"] for name in (one, other))
    assert first.split()[0] != one.split()[0]
    assert plain_letters(first) == plain_letters(second)


def test_dates_and_money_are_not_touched():
    record = {"custom_value3": "2027-04-01", "balance": Decimal("1.000001"), "number": "K-0012", "is_deleted": True}
    assert {k: MASK(record)[k] for k in record} == record
