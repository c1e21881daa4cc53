"""The labelled sets that are not ours are read from the files of their publishers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.dedupe_sets import BOOK_SIZE, FOLDER, child_care, restaurants, sets


def test_two_guides_name_one_restaurant(tmp_path: Path) -> None:
    head = "id,name,addr,city,phone,type\n"
    (tmp_path / "fodors.csv").write_text(f"{head}534,arts deli,12224 ventura blvd.,studio city,818/762-1221,american\n")
    (tmp_path / "zagats.csv").write_text(
        f"{head}1,apple pan,10801 w. pico blvd.,west la,310-475-3585,american\n"
        "220,arts delicatessen,12224 ventura blvd.,studio city,818-762-1221,delis\n"
    )
    (tmp_path / "matches_fodors_zagats.csv").write_text("fodors_id,zagats_id\n534,220\n")
    records = restaurants(tmp_path)
    assert [record.who for record in records] == ["fodors 534", "zagats 1", "fodors 534"]
    assert records[0].family == records[2].family != records[1].family
    assert records[2].row["phones"] == ["818-762-1221"]


def test_child_care_sites_have_their_publishers_ids(tmp_path: Path) -> None:
    (tmp_path / "csv_example_input_with_true_ids.csv").write_text(
        '"True Id","Id","Site name","Address","Zip","Phone"\n'
        '27,1958," YMCA ","3449 W Arthington St ",,6380773\n27,7,"",,60624,\n'
    )
    one, other = child_care(tmp_path)
    assert one.who == other.who == "27"
    assert (one.row["name"], one.row["postal_code"], one.row["phones"]) == ("YMCA", None, ["6380773"])
    assert (other.row["name"], other.row["address"], other.row["phones"]) == (None, None, [])


def test_without_their_folder_only_our_own_sets_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    assert {"FEBRL 1", "5,000 companies", "book 901"} <= set(sets())
    assert not {"restaurants", "child-care sites"} & set(sets())
    assert len(sets()["book 901"]()) == BOOK_SIZE
