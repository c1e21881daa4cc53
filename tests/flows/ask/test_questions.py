"""Each question of docs/questions.md, asked of a warehouse in which it has an answer: the answer keeps its promise."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

import msgspec
import pytest

from flows.ask.ask import Result, ask
from flows.configuration.load import place_of
from tests.engines import address
from warehouse.opened.open import open_place

TEXT = (Path(__file__).parents[3] / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^## (.+?)\n.*?```sql\n(.+?)```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture
def asked(settings, pulls, place, server):
    """Ask a question of the docs: clients that owe, overpaid, changed, were merged, and have a user; on each engine."""
    source = msgspec.structs.replace(settings.sources["main"], entities=("clients", "invoices", "payments", "credits"))
    told = msgspec.structs.replace(settings, warehouse=address(place), publish=False, sources={"main": source})
    pulls(using=told)
    active = [one for one in server.clients(status="active").values() if one["balance"] > 0]
    for client, figures in zip(
        active, [{"balance": "500", "credit_balance": "200"}, {"balance": "-777777"}], strict=False
    ):
        server.call("POST", f"/_sandbox/clients/{client['id']}/balances", figures)
        server.edit(client, city="Bern")  # figures alone move no stamp
    server.edit(active[2], assigned_user_id=active[2]["user_id"], city="Bern")
    server.merge(active[3]["id"], active[4]["id"])
    pulls(using=told)

    def run(question):
        return ask(told, QUESTIONS[question]).records()

    run.settings, run.began = told, active
    return run


def rows(asked, query):
    return ask(asked.settings, query).records()


def in_order(found, *, by):
    """Whether the rows of each currency stand together, the currency with the largest sum first, and fall in it."""
    blocks = [list(block) for _, block in groupby(found, lambda row: row["currency_code"])]
    assert len(blocks) == len({row["currency_code"] for row in found})
    for block in blocks:
        assert all(one[by] >= other[by] for one, other in pairwise(block))
    return True


def sides(balances):
    owed, overpaid = Decimal(0), Decimal(0)
    for one in balances:
        owed, overpaid = owed + max(one, 0), overpaid + max(-one, 0)
    return owed, overpaid, owed - overpaid


def check_sums(found, asked, *keys):
    """The rows are what the clients' own rows add up to, where both are grouped by these columns."""
    of = defaultdict(list)
    for client in rows(asked, "select * from mart.clients where status <> 'deleted'"):
        of[tuple(client[key] for key in keys)].append(client["balance"])
    for row in found:
        balances = of.pop(tuple(row[key] for key in keys))
        assert (row["owed"], row["overpaid"], row["net"]) == sides(balances)
        assert (row["debtors"], row["creditors"]) == (sum(b > 0 for b in balances), sum(b < 0 for b in balances))
    return of


def by_currency(asked):
    found = asked("What do clients owe, by currency?")
    assert check_sums(found, asked, "currency_code") == {}
    assert [row["owed"] for row in found] == sorted((row["owed"] for row in found), reverse=True)
    assert any(row["overpaid"] for row in found)


def most(asked):
    found = asked("Who owes most?")
    assert in_order(found, by="balance")
    clients = rows(asked, "select * from mart.client_balances where balance > 0")
    for currency, block in groupby(found, lambda row: row["currency_code"]):
        balances = sorted((c["balance"] for c in clients if c["currency_code"] == currency), reverse=True)
        assert [row["balance"] for row in block] == balances[:3]


def days(asked):
    found = asked("What did a client owe at the end of each of the last 30 days?")
    assert len(found) >= 1
    assert all(later["day"] - earlier["day"] == timedelta(days=1) for earlier, later in pairwise(found))
    assert len({row["display_name"] for row in found}) == 1


def last_month(asked):
    question = "What was owed at the end of last month?"
    (row,) = asked(question)
    assert (row["owed"], row["overpaid"], row["net"]) == (None, None, None)
    assert re.fullmatch(r"not known: the first pull was on \d{4}-\d\d-\d\d", row["note"])
    with open_place(place_of(asked.settings)) as warehouse:  # as if the first pull had been long ago
        for table in ("ninja.clients", "control.client_versions"):
            warehouse.execute(f"update {table} set valid_from = valid_from - interval '70 days'")
        warehouse.execute("update control.client_versions set valid_to = valid_to - interval '65 days'")
        warehouse.execute("update control.runs set began_at = began_at - interval '70 days'")
    found = asked(question)
    assert {row["note"] for row in found} == {None}
    alive = "select currency_code, balance from mart.client_balances"
    now = {row["currency_code"] for row in rows(asked, alive)}
    assert {row["currency_code"] for row in found} == now
    assert all(row["owed"] - row["overpaid"] == row["net"] for row in found)
    assert any(row["overpaid"] for row in found)


def countries(asked):
    found = asked("How much is owed in each country?")
    assert check_sums(found, asked, "country", "currency_code") == {}
    assert in_order(found, by="owed")


def groups(asked):
    found = asked("Which groups owe most?")
    left_out = check_sums(found, asked, "group_name", "currency_code")
    assert all(group is None or sides(balances)[0] == 0 for (group, _), balances in left_out.items())
    assert found
    assert in_order(found, by="owed")


def users(asked):
    found = asked("Who looks after the clients that owe?")
    assert all(row["owed"] > 0 and row["debtors"] for row in found)
    assert {row["looked_after_by"] for row in found} == {"nobody", asked.began[2]["user_id"]}


def months(asked):
    found = asked("How many clients came and went each month?")
    assert sum(row["new_clients"] for row in found) > 0
    assert sum(row["merged_clients"] for row in found) == 1


def changes(asked):
    found = asked("What changed yesterday and today?")
    assert {"city", "assigned_user_id", "balance"} <= {row["field"] for row in found}
    assert all(len(row["after"]) <= 40 for row in found)


def mute(asked):
    found = asked("Which clients owe, and have no e-mail address?")
    assert found
    assert all(row["balance"] > 0 for row in found)
    assert in_order(found, by="balance")
    with_mail = {
        row["client_number"] for row in rows(asked, "select client_number from mart.contacts where email is not null")
    }
    assert not with_mail & {row["number"] for row in found}


def mending(asked):
    found = asked("Which clients need attention, and why?")
    assert {"no contact with a mail", "balance of a deleted client"} <= {row["finding"] for row in found}
    assert all(row["findings"] >= row["clients"] > 0 for row in found)


def people(asked):
    found = asked("Which people are contacts of several clients?")
    assert found
    assert all(len(row["client_numbers"].split(", ")) == row["clients"] > 1 for row in found)


def gone(asked):
    (row,) = asked("Where did a client go that is no longer there?")
    assert (row["kind"], row["current_name"]) == ("merged", asked.began[3]["display_name"])


def credit(asked):
    found = asked("Whose credit could be set off against what they owe?")
    assert asked.began[0]["display_name"] in {row["display_name"] for row in found}
    assert all(0 < row["could_be_set_off"] == min(row["balance"], row["credit_balance"]) for row in found)


def fresh(asked):
    (row,) = asked("How fresh is all this?")
    assert row["clients"] == row["clients_on_server"] == 119


def overdue(asked):
    found = asked("Who is overdue, and by how much?")
    assert found
    assert in_order(found, by="overdue")
    parts = defaultdict(Decimal)
    for item in rows(asked, "select * from mart.open_items where days_overdue > 0 and client_status <> 'deleted'"):
        parts[item["client_name"]] += max(item["open_amount"], 0)
    assert {row["client_name"]: row["overdue"] for row in found} == {name: sum_ for name, sum_ in parts.items() if sum_}


def invoices(asked):
    found = asked("Which invoices make up this balance?")
    ((name, currency),) = {(row["client_name"], row["currency_code"]) for row in found}
    (client,) = (c for c in rows(asked, "select * from mart.clients") if c["display_name"] == name)
    assert sum(row["open_amount"] for row in found) == client["balance"]
    assert currency == client["currency_code"]


def december(asked):
    question = "Who owed how much on 31 December?"
    found = asked(question)
    assert in_order(found, by="owed")
    assert all(row["owed"] - row["overpaid"] == row["net"] for row in found)
    today = ask(asked.settings, QUESTIONS[question].replace("date '2025-12-31'", "current_date + 1")).records()
    sums = rows(asked, "select currency_code, sum(owed) as owed from mart.aging group by currency_code")
    for row in sums:
        assert sum(one["owed"] for one in today if one["currency_code"] == row["currency_code"]) == row["owed"]


def slowest(asked):
    found = asked("Who pays slowest?")
    assert found
    late = [row["average_days_late"] for row in found if row["average_days_late"] is not None]
    assert late == sorted(late, reverse=True)
    assert all(row["paid_late"] <= row["paid_invoices"] >= 3 for row in found)


def unapplied(asked):
    found = asked("Which payments pay no invoice?")
    assert found
    assert in_order(found, by="unapplied")
    assert all(0 < row["unapplied"] <= row["amount"] for row in found)


def revenue(asked):
    found = asked("How much was invoiced and paid each month, in each country?")
    assert [row["month"] for row in found] == sorted((row["month"] for row in found), reverse=True)
    newest = found[0]["month"]
    sums = rows(
        asked,
        "select sum(amount) as invoiced from mart.invoices where status <> 'deleted' "
        f"and document_status not in ('draft', 'cancelled') and date_trunc('month', date) = date '{newest}'",
    )
    assert sum(row["invoiced"] for row in found if row["month"] == newest) == (sums[0]["invoiced"] or 0)


def usable(asked):
    found = asked("Whose credits and payments can be used on open invoices?")
    assert found
    assert all(0 < row["can_be_used"] <= row["owed"] for row in found)


CHECKS = (
    by_currency, most, days, countries, groups, users, months, changes, mute, mending, people, gone, credit, fresh,
    overdue, invoices, december, slowest, unapplied, revenue, usable,
    last_month,  # which dates everything back
)  # fmt: skip


def test_every_answer_keeps_its_promise(asked):
    seen = set()

    def noted(question):
        seen.add(question)
        return asked(question)

    noted.settings, noted.began = asked.settings, asked.began
    for check in CHECKS:
        check(noted)
    assert seen == set(QUESTIONS)


def test_a_question_of_a_warehouse_without_clients_is_answered_too(place, settings):
    told = msgspec.structs.replace(settings, warehouse=address(place))
    for question, query in QUESTIONS.items():
        assert isinstance(ask(told, query), Result), question
