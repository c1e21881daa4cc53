"""Balances are never netted in silence: wherever they are added up, owed and overpaid stand beside the net."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.records import client
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.sql import statement
from warehouse.schema.comments import view_columns

ROOT = Path(__file__).parents[3]
OWED, OVERPAID = Decimal("1000003.17"), Decimal("2000011.29")
NET = OWED - OVERPAID
SUM = re.compile(r"\bsum\(\s*(?:\w+\.)?balance\s*\)")
IN_PYTHON = re.compile(r"""balance["']\]\.sum\(|\bsum\([\w.\s]*(?:\.balance\b|\[["']balance["']\])""")


def texts():
    """Each text in which balances may be added up, with its name: statements, blocks of the docs, programs."""
    for path in sorted((ROOT / "warehouse" / "sql").glob("*/*.sql")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```\w+\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for query in re.findall(r'"(select\b[^"]*)"', block) or [block]:
                yield path.name, query
    for room in ("flows", "connector", "schemas", "warehouse", "docs"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def netted(text):
    """Whether a text adds up balances of both signs without owed and overpaid beside the sum."""
    if re.search(r"\bbalance [<>] 0\s*(?:and|group|order|\n|$)", text) and not re.search(
        r"sum\(\w*\.?balance\) as net", text
    ):
        return False  # of one sign only
    return bool(SUM.search(text)) and not re.search(r"\bas owed\b.*\bas overpaid\b.*\bas net\b", text, re.DOTALL)


def test_no_statement_example_or_program_nets_balances_in_silence():
    every = list(texts())
    assert len(every) > 300
    assert [name for name, text in every if not name.endswith(".py") and netted(text)] == []
    programs = [name for name, text in every if name.endswith(".py") and IN_PYTHON.search(text)]
    assert programs == []


@pytest.mark.parametrize(
    "text",
    [
        "select currency_code, sum(balance) as owed from mart.client_balances group by currency_code",
        "select sum(b.balance) as balance from mart.client_balances as b",
        "select sum(case when balance > 0 then balance else 0 end) as owed, sum(balance) as net from t",
    ],
)
def test_the_search_finds_what_is_netted(text):
    assert netted(text)


@pytest.fixture
def both(warehouse, load_records):
    """A client that owes and one that has overpaid, alike in everything by which clients are grouped."""
    alike = {"assigned_user_id": "u", "industry_id": "5", "group_settings_id": "g", "country_id": "276"}
    records = [client("a", balance=OWED, **alike), client("b", balance=-OVERPAID, **alike)]
    load_records([*records, client("c", balance=7, is_deleted=True, **alike)], reference=reference("UTC"))
    return warehouse


def test_every_view_that_has_a_sum_has_owed_and_overpaid_beside_it(both):
    with_net = set()
    for view in view_columns(both):
        columns, rows = both.answer(f'select * from mart."{view}"')
        for row in rows:
            told = dict(zip(columns, row, strict=True))
            for name in [n for n, value in told.items() if isinstance(value, Decimal) and abs(value) == -NET]:
                if name == "net_converted":  # by the rate 1 of the company's own currency
                    assert [told[f"{n}_converted"] for n in ("owed", "overpaid", "net")] == [OWED, OVERPAID, NET]
                    continue
                assert (view, name) == (view, "net")
                found = [told[n] for n in ("owed", "overpaid", "net", "debtors", "creditors", "clients")]
                assert found == [OWED, OVERPAID, NET, 1, 1, 2], view
                with_net.add(view)
    by = ("assigned_user", "country", "currency", "group", "industry")
    assert with_net == {f"balances_by_{name}" for name in by} | {"balances_in_company_currency"}


@pytest.mark.parametrize("name", ["balances_by_currency", "balances_by_country"])
def test_every_sum_that_the_commands_ask_for_has_them_too(both, name):
    columns, (row,) = both.answer(
        statement(f"read/{name}").format(balances="mart.client_balances"), {"source": None, "most": 3, "at": None}
    )
    told = dict(zip(columns, row, strict=True))
    found = [told[n] for n in ("currency", "clients", "debtors", "owed", "creditors", "overpaid", "net")]
    assert found == ["EUR", 2, 1, OWED, 1, OVERPAID, NET]


def test_the_currency_in_which_most_is_owed_comes_first(warehouse, load_records):
    lists = reference("UTC")
    records = [
        client("a", balance=10, settings={"currency_id": "3"}, country_id="276"),
        client("b", balance=500, settings={"currency_id": "9"}, country_id="276"),
        client("c", balance=-900, settings={"currency_id": "9"}, country_id=""),
        client("d", balance=20, settings={"currency_id": "3"}, country_id=""),
    ]
    load_records(records, reference=lists)
    asked = {"source": None, "most": 3, "at": None}

    def currencies(name):
        columns, rows = warehouse.answer(statement(f"read/{name}").format(balances="mart.client_balances"), asked)
        return [
            (row[columns.index("currency")], row[columns.index("country")] if "country" in columns else "")
            for row in rows
        ]

    assert currencies("balances_by_currency") == [(None, ""), ("EUR", "")]
    assert currencies("balances_by_country") == [(None, "Germany"), (None, None), ("EUR", None), ("EUR", "Germany")]
    assert currencies("top_debtors") == [(None, "Germany"), ("EUR", None), ("EUR", "Germany")]
