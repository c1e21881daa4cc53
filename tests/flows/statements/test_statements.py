"""Statements of many: safe names, half files never, a run that was cut off goes on."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector import clients
from flows.statements.fetch import draw_statements, file_name, mail_statements, make_folder, named, owing
from schemas.client import Client
from schemas.errors import NotAuthorised, OutcomeUnknown, ServerUnavailable, SettingsError

YEAR = clients.Period(date(2026, 1, 1), date(2026, 12, 31))


def client(**more):
    zero = Decimal(0)
    figures = dict.fromkeys(("balance", "paid_to_date", "payment_balance", "credit_balance"), zero)
    return Client(**{"id": "Wpmbk5ezJn", "is_deleted": False, **figures, **more})


@given(name=st.none() | st.text(max_size=200), number=st.none() | st.text(max_size=200))
def test_a_file_name_is_one_harmless_part_of_a_path_and_this_clients_alone(name, number):
    found = file_name(client(display_name=name, number=number), YEAR)
    assert re.fullmatch(r"statement_[\w.-]+\.pdf", found)
    assert "/" not in found
    assert "\x00" not in found
    assert "_Wpmbk5ezJn_20260101-20261231.pdf" in found
    assert len(found.encode()) <= 255
    assert found != file_name(client(display_name=name, number=number, id="Opnel5aKBz"), YEAR)


def test_statements_that_show_something_else_have_other_names():
    one = client(display_name="Ünal & Söhne/GmbH", number="0007")
    periods = [
        YEAR, replace(YEAR, start=date(2026, 2, 1)), replace(YEAR, end=date(2026, 6, 1)), replace(YEAR, status="paid"),
        replace(YEAR, payments=False), replace(YEAR, credits=False), replace(YEAR, aging=False, credits=False),
    ]  # fmt: skip
    names = [file_name(one, period) for period in periods]
    assert len(set(names)) == len(periods)
    assert names[0] == "statement_0007_Ünal-Söhne-GmbH_Wpmbk5ezJn_20260101-20261231.pdf"
    assert names[-1].endswith("_no-credits-aging.pdf")


@pytest.mark.parametrize("odd", ["", "../../x", "a/b", "a\\b", "x" * 65, "é", "a\n"])
def test_no_file_is_named_after_an_id_that_is_none(odd):
    with pytest.raises(SettingsError, match="not of Invoice Ninja's form"):
        file_name(client(id=odd), YEAR)


def test_a_run_that_was_cut_off_goes_on_and_fetches_nothing_twice(api, box, tmp_path):
    wanted = list(owing(api))
    assert len(wanted) > 3
    run = draw_statements(api, wanted, YEAR, tmp_path / "out")
    first = next(run)
    run.close()
    box.requests()
    drawn = list(draw_statements(api, wanted, YEAR, tmp_path / "out"))
    assert [one.did for one in drawn] == ["was there"] + ["fetched"] * (len(wanted) - 1)
    assert len([r for r in box.requests() if "client_statement" in r]) == len(wanted) - 1
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == len(wanted)
    assert first.file in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.read_bytes().startswith(b"%PDF-") for file in files)


def test_a_half_file_is_fetched_again_and_a_whole_one_where_it_is_wanted_anew(api, box, tmp_path):
    one = next(iter(owing(api)))
    (first,) = draw_statements(api, [one], YEAR, tmp_path)
    whole = first.file.read_bytes()
    for left in (whole[: len(whole) // 2], b""):
        first.file.write_bytes(left)
        first.file.with_name(f"{first.file.name}.12345.part").write_bytes(left)  # of a run that was killed
        (again,) = draw_statements(api, [one], YEAR, tmp_path)
        assert (again.did, again.file) == ("fetched", first.file)
        assert first.file.read_bytes() == whole
        assert os.listdir(tmp_path) == [first.file.name]  # noqa: PTH208
    assert [it.did for it in draw_statements(api, [one], YEAR, tmp_path)] == ["was there"]
    assert [it.did for it in draw_statements(api, [one], YEAR, tmp_path, again=True)] == ["fetched"]


def test_one_clients_failure_does_not_stop_the_others(api, box, tmp_path):
    wanted = list(owing(api))[:3]
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": 500, "nth": 1, "times": 3}])
    told = []
    drawn = list(draw_statements(api, wanted, YEAR, tmp_path, progress=lambda *how: told.append(how)))
    box.switch(faults=[])
    assert [one.file is None for one in drawn] == [True, False, False]
    assert told == [("statements", n, 3) for n in range(4)]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("status", "error"), [(403, NotAuthorised), (503, ServerUnavailable)])
def test_what_means_every_client_ends_the_run(api, box, tmp_path, status, error):
    wanted = list(owing(api))[:3]
    box.switch(faults=[{"on": "POST /client_statement", "do": "status", "status": status, "nth": 2, "times": 99}])
    run = draw_statements(api, wanted, YEAR, tmp_path)
    assert next(run).did == "fetched"
    box.requests()
    with pytest.raises(error):
        next(run)
    assert len(box.requests()) == (1 if status == 403 else 8)
    box.switch(faults=[])
    assert [one.did for one in draw_statements(api, wanted, YEAR, tmp_path)] == ["was there", "fetched", "fetched"]


def test_mails_go_on_after_a_refusal_and_end_where_nobody_knows(api, box):
    wanted = list(owing(api))[:4]
    wanted[1] = replace(wanted[1], id="zzzzzzzzzz")
    box.switch(faults=[{"on": "POST /client_statement", "do": "reset", "after_bytes": 0, "nth": 3}])
    box.requests()
    run = mail_statements(api, wanted, YEAR)
    told = [next(run) for _ in wanted]
    with pytest.raises(OutcomeUnknown):
        next(run)
    box.switch(faults=[])
    assert [one.did for one in told] == ["mail asked for", "", "", ""]
    for one, words in zip(told[1:], ("no client zzzzzzzzzz", "not known", "nothing was sent"), strict=True):
        assert words in one.problem
    assert len([r for r in box.requests() if "client_statement" in r]) == 3


def test_clients_that_are_none_are_told_beside_the_others(api, box):
    one, other = box.make("One")["id"], box.make("Other")["id"]
    read, left = named(api, [one, "zzzzzzzzzz", "../x", other, one])
    assert [client.id for client in read] == [one, other]
    assert [(it.client_id, it.file) for it in left] == [("zzzzzzzzzz", None), ("../x", None)]
    assert all("no such client" in it.problem for it in left)


def test_each_client_with_a_balance_comes_once(api, box):
    debtor, creditor, even, gone = (box.make(name) for name in ("Debtor", "Creditor", "Even", "Gone"))
    for one, balance in ((debtor, "12.5"), (creditor, "-3"), (gone, "5")):
        box.balances(one, balance=balance)
    box.bulk("archive", debtor["id"])
    box.bulk("delete", gone["id"])
    found = [one.id for one in owing(api)]
    assert len(found) == len(set(found))
    assert {debtor["id"], creditor["id"]} <= set(found)
    assert not {even["id"], gone["id"]} & set(found)


def test_a_link_in_the_place_of_a_file_is_not_followed(api, tmp_path):
    one = next(iter(owing(api)))
    (tmp_path / "out").mkdir(mode=0o700)
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out" / file_name(one, YEAR)).symlink_to(tmp_path / "victim")
    with pytest.raises(SettingsError, match="not a plain file"):
        list(draw_statements(api, [one], YEAR, tmp_path / "out"))
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for place, words in (("file", "is not a folder"), ("file/below", "cannot be created")):
        with pytest.raises(Exception, match=words):
            make_folder(tmp_path / place)
    make_folder(tmp_path / "new" / "one")
    assert stat.S_IMODE((tmp_path / "new" / "one").stat().st_mode) == 0o700
