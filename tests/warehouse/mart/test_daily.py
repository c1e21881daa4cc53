"""Balances by day, month and group; findings; labels; words: the same on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.entities import COMPANIES, LOOKUPS
from schemas.normalise import normalise
from schemas.vanished import Vanished
from tests.engines import name_of
from tests.records import NOW, client, contact
from warehouse.engine.seam import DUCKDB
from warehouse.engine.sql import named
from warehouse.load.load import Reference
from warehouse.opened.dictionary import dbt_sources, dictionary
from warehouse.schema.comments import of_table, of_view
from warehouse.schema.labels import named_columns
from warehouse.schema.mirror import mirrored

START = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before Berlin's clocks change."""


def reference(zone="Europe/Berlin", labels=None):
    times = {"created_at": NOW, "updated_at": NOW, "archived_at": 0}
    lists = {
        "timezones": [{"id": "9", "name": zone, "utc_offset": 3600}],
        "countries": [{"id": "276", "name": "Germany", "iso_3166_2": "DE", "iso_3166_3": "DEU"}],
        "currencies": [{"id": "3", "name": "Euro", "code": "EUR", "symbol": "€", "precision": 2}],
    }
    rows = {lookup: normalise(lookup, lists.get(lookup.name, [])).rows for lookup in LOOKUPS}
    company = {
        "id": "co", "custom_fields": labels or {}, **times,
        "settings": {"name": "Us", "currency_id": "3", "timezone_id": "9", "country_id": "276"},
    }  # fmt: skip
    rows[COMPANIES] = normalise(COMPANIES, [company]).rows
    return Reference(rows)


def at(hours):
    return START + timedelta(hours=hours)


def stamp(moment):
    return int(moment.timestamp())


@pytest.fixture
def told(warehouse, load_records):
    """A client that owes 10, then 20 just before Berlin's midnight, 30 just after it, and vanishes four days later."""
    first = stamp(START)
    load_records([client("a", balance=10, updated_at=first, created_at=first)], reference=reference(), began=START)
    late = START.replace(hour=22, minute=59)
    load_records([client("a", balance=20, updated_at=stamp(late), created_at=first)], began=late)
    early = START.replace(hour=23, minute=1)
    load_records([client("a", balance=30, updated_at=stamp(early), created_at=first)], began=early)
    load_records([], began=at(96), kind="full", vanished=[Vanished("a", "gone")])
    return warehouse


def test_a_day_ends_at_the_companys_own_midnight_and_gaps_are_filled(told):
    asked = "select day, balance, currency_code from mart.client_balance_daily where id = 'a' order by day"
    assert told.rows(asked) == [
        (date(2026, 3, 28), Decimal(20), "EUR"),
        (date(2026, 3, 29), Decimal(30), "EUR"),
        (date(2026, 3, 30), Decimal(30), "EUR"),
        (date(2026, 3, 31), Decimal(30), "EUR"),
    ]


def test_a_client_that_is_there_has_a_balance_for_today_and_one_a_day(warehouse, load_records):
    load_records([client("a", balance=7)], reference=reference("UTC"), began=START)
    asked = "select count(*), count(distinct day), max(day), min(balance) from mart.client_balance_daily"
    ((days, different, last, least),) = warehouse.rows(asked)
    ((today,),) = warehouse.rows("select cast(now() at time zone 'UTC' as date)")
    assert (days, last, least) == (different, today, 7)
    assert days == (today - START.date()).days + 1


def test_balances_as_of_the_end_of_each_day_are_those_of_the_history(told):
    for day, balance in told.rows("select day, balance from mart.client_balance_daily where id = 'a'"):
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC) - timedelta(
            hours=2 if day.day > 28 else 1
        )
        found = told.rows(
            "select balance from mart.client_history where id = 'a' and valid_from < $end "
            "and (valid_to is null or valid_to >= $end)",
            {"end": end},
        )
        assert found == [(balance,)]


def test_months_count_who_came_and_who_went(told, load_records):
    load_records(
        [client("b", is_deleted=True, created_at=stamp(at(48)), archived_at=stamp(at(60)), updated_at=stamp(at(60)))],
        began=at(97),
    )
    counts = "new_clients, deleted_clients, merged_clients, vanished_clients"
    asked = f"select month, {counts} from mart.clients_by_month order by month"
    assert told.rows(asked) == [(date(2026, 3, 1), 2, 1, 0, 0), (date(2026, 4, 1), 0, 0, 0, 1)]


@pytest.mark.parametrize(
    ("view", "by"),
    [
        ("country", "country_code"),
        ("currency", "currency_code"),
        ("group", "group_name"),
        ("industry", "industry"),
        ("assigned_user", "assigned_user_id"),
    ],
)
def test_balances_of_two_currencies_are_never_added(warehouse, load_records, view, by):
    records = [
        client(key, balance=n, settings={"currency_id": currency})
        for key, n, currency in (("a", 1, "3"), ("b", 2, "3"), ("c", 4, "9"))
    ]
    load_records([*records, client("d", balance=8, is_deleted=True)], reference=reference())
    asked = f"select currency_code, clients, debtors, net from mart.balances_by_{view} order by clients"
    assert warehouse.rows(asked) == [(None, 1, 1, 4), ("EUR", 2, 2, 3)]
    assert by in warehouse.answer(f"select * from mart.balances_by_{view}")[0]


def test_findings_name_what_is_odd_and_nothing_else(warehouse, load_records):
    mail = [contact("m")]
    load_records(
        [
            client("fine", number="1", vat_number="DE 123.456.789", country_id="276"),
            client("mute", number="2", contacts=[]),
            client("twice", number="3", vat_number="ATU12345678"),
            client("same", number="3", vat_number="at u12345678", contacts=[contact("s1"), contact("s2")]),
            client("odd", number="4", vat_number="DE12", country_id="999", settings={"currency_id": "77"}),
            client("gone", number="5", balance=3, is_deleted=True, contacts=[]),
            client("foreign", number="6", vat_number="CHE-123.456.789 MWST", contacts=mail),
        ],
        reference=reference(),
    )
    found = warehouse.rows("select id, finding, detail from mart.data_quality order by id, finding")
    assert found == [
        ("gone", "balance of a deleted client", "3.000000 EUR"),
        ("mute", "no contact with a mail", None),
        ("odd", "implausible VAT number", "DE12"),
        ("odd", "unknown country", "999"),
        ("odd", "unknown currency", "77"),
        ("same", "duplicate VAT number", "at u12345678"),
        ("same", "duplicate number", "3"),
        ("same", "several primary contacts", "2"),
        ("twice", "duplicate VAT number", "ATU12345678"),
        ("twice", "duplicate number", "3"),
    ]


def test_contacts_can_be_compared_by_mail_and_phone(warehouse, load_records):
    contacts = [
        contact("k", email=" Ann@Example.COM ", phone="+41 (0)44 / 12-3"),
        contact("l", email="ÄNN@Example.COM\t", phone=""),
        contact("m", email=" ", phone="-"),
    ]
    load_records([client("a", contacts=contacts)])
    assert warehouse.rows("select id, email_key, phone_digits from mart.contacts order by id") == [
        ("k", "ann@example.com", "41044123"),
        ("l", "änn@example.com", None),
        ("m", None, None),
    ]


def columns(warehouse, view):
    return [
        name
        for (name,) in warehouse.rows(
            "select column_name from information_schema.columns where table_schema = 'mart' and table_name = $view "
            "order by ordinal_position",
            {"view": view},
        )
    ]


def test_custom_fields_have_their_labels_in_a_view_of_the_source(warehouse, load_records):
    labels = {"client1": "Birthday|date", "client2": 'A "quoted" – name', "client3": "balance", "contact2": "Role"}
    load_records([client("a", custom_value1="2000-01-02", custom_value3="x")], reference=reference(labels=labels))
    assert warehouse.rows('select "Birthday", "A ""quoted"" – name", "balance (3)" from mart.clients_main') == [
        ("2000-01-02", None, "x")
    ]
    assert "Role" in columns(warehouse, "contacts_main")
    load_records([client("a")], reference=reference(labels={"client1": "Since"}))
    assert "Since" in columns(warehouse, "clients_main")
    assert columns(warehouse, "contacts_main") == []
    load_records([client("a")], reference=reference())
    assert columns(warehouse, "clients_main") == []


def test_documents_have_labels_too_and_credits_those_of_invoices(warehouse, load_records):
    load_records([client("a")], reference=reference(labels={"invoice1": "Site", "payment2": "Till"}))
    for view, label in (("invoices_main", "Site"), ("credits_main", "Site"), ("payments_main", "Till")):
        assert label in columns(warehouse, view)
    assert columns(warehouse, "clients_main") == []


@given(st.lists(st.text(max_size=90) | st.just("same"), min_size=4, max_size=4))
@example(["id", "ID", "Id", "iD"])
@example(["custom_value2", "custom_value1", "\n", "|text"])
def test_whatever_the_labels_are_the_names_are_distinct_and_fit(labels):
    names = ["id", "balance", *(f"custom_value{n}" for n in range(1, 5))]
    found = [
        name for _, name in named_columns(names, {f"client{n}": text for n, text in enumerate(labels, 1)}, "client")
    ]
    assert len({name.lower() for name in found}) == len(names)
    assert all(0 < len(name.encode()) <= 63 for name in found)
    assert found[:2] == ["id", "balance"]


def test_every_column_of_every_view_and_table_is_told_in_words_in_the_database_too(warehouse):
    for view in named("mart"):
        names = columns(warehouse, view)
        assert [name for name, text in of_view(view, names).items() if not text] == [], view
    for entity, parent in mirrored():
        assert all(of_table(entity, parent).values()), entity.name
    if warehouse.engine == DUCKDB:
        found = "select count(*), count(comment) from duckdb_columns() where schema_name in ('mart', 'ninja')"
    else:
        found = (
            "select count(*), count(col_description(c.oid, a.attnum)) from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace and n.nspname in ('mart', 'ninja') "
            "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 where c.relkind in ('r', 'v')"
        )
    ((every, told),) = warehouse.rows(found)
    assert every == told > 300


def mirror_names():
    return [entity.name for entity, _ in mirrored()]


def test_the_data_dictionary_is_that_of_this_version(duckdb_warehouse):
    written = Path(__file__).parents[3] / "docs" / "data-dictionary.md"
    assert written.read_text(encoding="utf-8") == dictionary(duckdb_warehouse), "make dictionary"
    sources = written.parent / "dbt" / "models" / "sources.yml"
    assert sources.read_text(encoding="utf-8") == dbt_sources(duckdb_warehouse), "make dictionary"
    for source in yaml.safe_load(sources.read_text(encoding="utf-8"))["sources"]:
        tables = [table["name"] for table in source["tables"]]
        assert sorted(tables) == sorted(named("mart") if source["schema"] != "ninja" else mirror_names())


def test_sqlalchemy_sees_the_views_of_postgres_with_types_and_words(postgres, migrated):
    import sqlalchemy  # noqa: PLC0415

    engine = sqlalchemy.create_engine(postgres.url(name_of(migrated)).replace("postgresql://", "postgresql+psycopg://"))
    try:
        found = {one["name"]: one for one in sqlalchemy.inspect(engine).get_columns("client_balances", schema="mart")}
    finally:
        engine.dispose()
    assert (found["balance"]["type"].precision, found["balance"]["type"].scale) == (20, 6)
    assert found["updated_at"]["type"].timezone
    assert found["currency_code"]["comment"].startswith("ISO 4217")
