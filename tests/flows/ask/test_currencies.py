"""`--currency`: tables, files, JSON and pictures of the currencies that were asked for, and of no others."""

from __future__ import annotations

import csv
import io
import json

import pytest

from flows.ask.ask import Result
from flows.ask.currencies import check_codes, codes_of, only
from schemas.errors import SettingsError

COMMANDS = {"balances": "by_currency", "aging": "by_currency", "history": "history"}


def test_codes_are_repeated_or_listed_in_any_case():
    assert codes_of(None) == ()
    assert codes_of(["eur, USD", "EUR"]) == ("EUR", "USD")
    with pytest.raises(SettingsError, match="EUR,USD"):
        codes_of(["EUR,"])


def test_a_code_that_is_not_there_is_refused_unless_there_is_none():
    check_codes(["EUR"], ["USD", "EUR", None])
    check_codes(["EUR"], [])
    with pytest.raises(SettingsError, match=r"no CHF here\. Currencies: EUR, USD\."):
        check_codes(["CHF", "EUR"], ["USD", "EUR", None])


def test_other_rows_are_left_out():
    result = Result(("source", "currency"), [("main", "EUR"), ("main", "USD"), ("main", None)])
    assert only(result, ["EUR"]).rows == [("main", "EUR")]
    assert only(result, ()) == result


@pytest.fixture
def pulled(command):
    """The commands of a warehouse with invoices."""

    def run(*words):
        return command(*words, environ={"NINJA_SYNC_ENTITIES": ""})

    assert run("pull")[0] == 0
    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_only_the_currencies_asked_for(pulled, name, tmp_path):
    whole = json.loads(pulled(name, "--json")[1])
    codes = {row["currency"] for row in whole[COMMANDS[name]]}
    assert {"EUR", "USD"} < codes
    for words, wanted in ((["--currency", "usd,eur"], {"EUR", "USD"}), (["--currency", "EUR"], {"EUR"})):
        part = json.loads(pulled(name, *words, "--json")[1])
        assert set(part) == set(whole)
        for table, rows in part.items():
            assert rows == [row for row in whole[table] if row.get("currency", "EUR") in wanted]
    code, out, _ = pulled(name, "--currency", "EUR", "--currency", "USD", "--csv", "-", "--plot", "p.svg")
    assert (code, {row["currency"] for row in csv.DictReader(io.StringIO(out))}) == (0, {"EUR", "USD"})
    picture = (tmp_path / "p.svg").read_text("utf-8")
    assert ("<!-- EUR: " in picture, "<!-- USD: " in picture, "<!-- GBP: " in picture) == (True, True, False)
    code, _, err = pulled(name, "--currency", "XYZ")
    assert (code, "There is no XYZ here. Currencies: " in err) == (2, True)
