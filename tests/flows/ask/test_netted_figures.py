"""The figures that the commands print: no net without owed and overpaid beside it, nothing cut, own decimals."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal

import pytest

from flows.show.show import amount


@pytest.fixture
def sums(call, server):
    """What is owed, overpaid and net by currency after a first pull, counted here; both signs in each of several."""
    ids = iter([one for one in server.clients().values() if not one["is_deleted"]])
    for figure in ("-7777777.77", "-3333333.000001"):
        server.call("POST", f"/_sandbox/clients/{next(ids)['id']}/balances", {"balance": figure})
    assert call("pull")[0] == 0
    rows = json.loads(call("sql", "select currency_code, country, balance from mart.client_balances", "--json")[1])
    found = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        for key in ((row["currency_code"],), (row["currency_code"], row["country"])):
            balance = Decimal(row["balance"])
            found[key][balance < 0] += abs(balance)
    both = {key: (owed, overpaid, owed - overpaid) for key, (owed, overpaid) in found.items() if owed and overpaid}
    assert len(both) > 4
    return both


PRINTED = (["balances"], ["balances", "--at", "2099-12-31"], ["status"], ["doctor"], ["pull", "--full"], ["sweep"])


@pytest.mark.parametrize("words", PRINTED, ids=" ".join)
def test_no_line_has_a_net_without_both_sides(call, sums, words):
    _, out = call(*words)
    nets = 0
    for key, (owed, overpaid, net) in sums.items():
        for line in [line for line in out.splitlines() if amount(net, key[0]) in line.split()]:
            assert {amount(owed, key[0]), amount(overpaid, key[0])} <= set(line.split()), line
            nets += 1
    assert (nets >= len(sums)) == (words[0] == "balances")


@pytest.mark.proof
@pytest.mark.parametrize("words", PRINTED, ids=" ".join)
def test_no_json_has_a_net_without_both_sides(call, sums, words):
    told = {f"{net:f}".rstrip("0"): (owed, overpaid) for owed, overpaid, net in sums.values()}

    def nets(value):
        if isinstance(value, list):
            return sum(map(nets, value))
        if not isinstance(value, dict):
            return 0
        here = [(n, one) for n, one in value.items() if isinstance(one, str) and one.rstrip("0") in told]
        for name, one in here:
            assert (name, Decimal(value["owed"]), Decimal(value["overpaid"])) == ("net", *told[one.rstrip("0")])
        return len(here) + sum(map(nets, value.values()))

    assert (nets(json.loads(call(*words, "--json")[1])) >= len(sums)) == (words[0] == "balances")


@pytest.mark.proof
def test_amounts_have_the_decimals_of_their_currency(call, server):
    yen = next(one for one in server.clients().values() if not one["is_deleted"])
    server.edit(yen, settings={**yen["settings"], "currency_id": "45"})
    server.call("POST", f"/_sandbox/clients/{yen['id']}/balances", {"balance": "654321"})
    call("pull")
    code, out = call("balances")
    assert (code, "654,321 " in out, "654,321.0" in out) == (0, True, False)
    (row,) = (one for one in json.loads(call("balances", "--json")[1])["by_currency"] if one["currency"] == "JPY")
    assert all("." not in row[name] for name in ("owed", "overpaid", "net"))
    _, out = call("sql", "select balance, currency_code from mart.client_balances order by balance desc limit 1")
    assert "654,321 " in out


@pytest.mark.proof
def test_the_overview_is_whole(call, sums):
    _, out = call("balances")
    assert "more; --json" not in out
    countries = json.loads(call("balances", "--json")[1])["by_country"]
    assert len(countries) > 12
    section = out[out.index("Balances by country") : out.index("Top debtors")]
    assert len([line for line in section.splitlines() if any(c.isdigit() for c in line)]) == len(countries)
