"""Runs of statements: who owes no more gets none, a ZIP holds what was fetched, nobody without an address is mailed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal

from connector import clients
from flows.statements.fetch import file_name, owing
from flows.statements.run import NO_ADDRESS, fetch_as_zip, fetch_into, mail, still_owing, with_address
from schemas.errors import NotAuthorised

YEAR = clients.Period(date(2026, 1, 1), date(2026, 12, 31))


def test_who_has_paid_since_or_is_gone_is_reported_and_gets_nothing(api, box):
    owes, paid, less, gone = (box.make(name) for name in ("Owes", "Paid", "Less", "Gone"))
    for one, balance in ((owes, "80"), (paid, "0"), (less, "79.99"), (gone, "90")):
        box.balances(one, balance=balance)
    box.bulk("delete", gone["id"])
    ids = [owes["id"], paid["id"], less["id"], gone["id"], "zzzzzzzzzz"]
    wanted, left = still_owing(api, ids, Decimal(80))
    assert [client.id for client in wanted] == [owes["id"]]
    assert {row.client_id: row.problem for row in left if row.name} == {
        paid["id"]: "it owes nothing any more", less["id"]: "it owes less than the least amount now",
        gone["id"]: "it was deleted on the server",
    }  # fmt: skip
    assert "zzzzzzzzzz" in {row.client_id for row in left}
    run = fetch_as_zip(api, wanted, left, YEAR, io.BytesIO())
    assert (run.done, run.of, len(run.drawn)) == (1, 5, 5)
    assert "Missing: 4 of 5 statements" in run.missing()
    assert run.state() == "Saved: 1 of 5 statements."


def test_a_zip_holds_the_file_of_each_client_and_says_who_has_none(api, box):
    wanted, file = list(owing(api))[:3], io.BytesIO()
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": 500, "nth": 1, "times": 3}])
    run = fetch_as_zip(api, wanted, [], YEAR, file)
    box.switch(faults=[])
    assert [bool(row.problem) for row in run.drawn] == [True, False, False]
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [file_name(client, YEAR) for client in wanted[1:]]
        assert all(archive.read(name).startswith(b"%PDF-") for name in archive.namelist())


def test_a_zip_of_a_run_that_was_ended_holds_what_came_before(api, box):
    wanted, file = list(owing(api))[:3], io.BytesIO()
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": 403, "nth": 2, "times": 9}])
    run = fetch_as_zip(api, wanted, [], YEAR, file)
    box.switch(faults=[])
    assert isinstance(run.stopped, NotAuthorised)
    assert (run.done, run.of) == (1, 3)
    with zipfile.ZipFile(file) as archive:
        assert len(archive.namelist()) == 1


def test_files_in_a_folder_are_not_fetched_twice(api, tmp_path):
    wanted = list(owing(api))[:2]
    first, second = (fetch_into(api, wanted, [], YEAR, tmp_path) for _ in range(2))
    assert {row.did for row in first.drawn} == {"fetched"}
    assert {row.did for row in second.drawn} == {"was there"}
    assert second.missing() == ""


def test_only_those_with_an_address_are_mailed(api, box):
    client = next(iter(owing(api)))
    silent = replace(client, id="Opnel5aKBz", contacts=[])
    blank = replace(client, id="wMvbmOeYAl", contacts=[replace(client.contacts[0], email=" ")])
    reached, others = with_address([silent, client, blank])
    assert [one.id for one in reached] == [client.id]
    assert [(row.client_id, row.problem) for row in others] == [(one.id, NO_ADDRESS) for one in (silent, blank)]
    box.requests()
    run = mail(api, reached, others, YEAR)
    assert len([r for r in box.requests() if "client_statement" in r]) == 1
    assert "does not report" in run.state()
    assert "the others would be mailed twice" in run.missing()
