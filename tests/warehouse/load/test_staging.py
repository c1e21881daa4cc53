"""Staged pages: private, resumable, and worth nothing once torn or edited."""

from __future__ import annotations

import errno
import os
import stat

import msgspec
import pytest

from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.errors import WarehouseError
from schemas.normalise import normalise
from tests.records import client
from warehouse.load.staging import ScanKey, Staging

KEY = ScanKey("https://ninja.test", "VolejRejNm", "fingerprint", 1_700_000_000, full=False, shape="shape")
BEGAN = 1_795_000_000


@pytest.fixture
def staged(tmp_path):
    """A staging with three pages of two clients each."""
    staging = Staging.of(tmp_path / "warehouse.duckdb", "main")
    staging.begin(KEY, Clocks(BEGAN, BEGAN))
    for number in range(3):
        page = normalise(CLIENTS, [client(f"p{number}a"), client(f"p{number}b", balance="odd" if number == 1 else 1)])
        staging.add(CLIENTS, page, open=[(100 + number, 150), (150, None)], newest_seen=200 + number)
    return staging


def resumed(staging, key=KEY):
    fresh = Staging(staging.folder, [])
    return fresh if fresh.resume(key, Clocks(BEGAN + 60, BEGAN + 60)) else None


def ids(staging, table="clients"):
    return [key for batch in staging.batches(table) for key in batch.column("id").to_pylist()]


def test_pages_come_back_in_order_with_their_arrival(staged):
    assert ids(staged) == ["p0a", "p0b", "p1a", "p2a", "p2b"]
    assert ids(staged, "contacts") == ["cp0a", "cp0b", "cp1a", "cp2a", "cp2b"]
    arrivals = [n for batch in staged.batches("clients") for n in batch.column("arrival").to_pylist()]
    assert arrivals == [0, 1, 2, 3, 4]
    assert staged.records == 5


def test_an_interrupted_scan_is_taken_up_whole(staged):
    again = resumed(staged)
    assert ids(again) == ids(staged)
    assert (again.began, again.pages[-1].open, again.pages[-1].newest_seen) == (BEGAN, [(102, 150), (150, None)], 202)
    assert [q.id for q in again.quarantined] == ["p1b"]
    again.add(CLIENTS, normalise(CLIENTS, [client("later")]), open=[(103, None)], newest_seen=203)
    assert ids(resumed(again))[-1] == "later"


@pytest.mark.parametrize(
    "other",
    [
        {"base_url": "https://other.test"}, {"company_id": "other"}, {"company_fingerprint": "other"},
        {"watermark": None}, {"full": True}, {"shape": "of another version"},
    ],
)  # fmt: skip
def test_pages_of_another_scan_are_not_taken_up(staged, other):
    assert resumed(staged, msgspec.structs.replace(KEY, **other)) is None


def test_nothing_staged_is_nothing_to_resume(tmp_path):
    assert not Staging.of(tmp_path / "warehouse.duckdb", "main").resume(KEY, Clocks(BEGAN, None))


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_torn_page_ends_what_can_be_resumed(staged, page, keep):
    file = staged.folder / f"{page + 1:06d}.clients.arrow"
    whole, before = file.read_bytes(), ids(staged)
    file.write_bytes(whole[: int(len(whole) * keep)])
    again = resumed(staged)
    assert (ids(again) if again else []) == before[: (0, 2, 3)[page]]


def test_every_flipped_byte_of_a_page_is_noticed(staged):
    file = staged.folder / "000002.contacts.arrow"
    whole = bytearray(file.read_bytes())
    for place in range(0, len(whole), 97):
        whole[place] ^= 0x01
        file.write_bytes(whole)
        assert len(resumed(staged).pages) == 1, place
        whole[place] ^= 0x01
        staged.begin(KEY, Clocks(BEGAN, BEGAN))
        for number in range(3):
            staged.add(CLIENTS, normalise(CLIENTS, [client(f"p{number}")]), open=[(1, None)], newest_seen=1)
        whole = bytearray(file.read_bytes())


def test_a_manifest_torn_at_any_byte_gives_a_clean_beginning_of_the_pages(staged):
    manifest = staged.folder / "manifest.jsonl"
    whole, files = manifest.read_bytes(), {path: path.read_bytes() for path in staged.folder.iterdir()}
    lines = whole.count(b"\n")
    assert lines == 4
    for length in range(0, len(whole), 7):
        for path, content in files.items():
            path.write_bytes(content)
        manifest.write_bytes(whole[:length])
        again = resumed(staged)
        pages = max(0, whole[:length].count(b"\n") - 1)
        assert (len(again.pages) if again else 0) in (pages, pages + 1)


def test_of_a_manifest_with_a_changed_byte_the_pages_in_front_of_it_are_taken_up_as_they_were(staged):
    manifest, key = staged.folder / "manifest.jsonl", (staged.began, *staged.pages)
    whole, files = manifest.read_bytes(), {path: path.read_bytes() for path in staged.folder.iterdir()}
    for place in range(0, len(whole), 29):
        for path, content in files.items():
            path.write_bytes(content)
        manifest.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        lines = whole[:place].count(b"\n")  # that are in front of the changed one
        again = resumed(staged)
        assert ((again.began, *again.pages) if again else ()) == (key[:lines] if lines > 1 else ()), place


def test_a_full_disk_is_said_with_the_folder(staged, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for deed in (lambda: resumed(staged), lambda: add(staged), lambda: staged.begin(KEY, Clocks(BEGAN, None))):
        with pytest.raises(WarehouseError, match=r"warehouse\.duckdb\.staging/main/clients: the disk is full"):
            deed()


def add(staging):
    staging.add(CLIENTS, normalise(CLIENTS, [client("z")]), open=[(1, None)], newest_seen=1)


def test_files_of_unfinished_pages_are_removed_when_resumed(staged):
    (staged.folder / "000004.clients.arrow").write_bytes(b"half a page")
    assert len(ids(resumed(staged))) == 5
    assert not (staged.folder / "000004.clients.arrow").exists()


def test_files_are_private_and_cleared_at_the_end(staged):
    assert {stat.S_IMODE(path.stat().st_mode) for path in staged.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(staged.folder.stat().st_mode) == 0o700
    staged.clear()
    assert not staged.folder.exists()


def test_no_planted_secret_is_staged(staged):
    assert b"planted" not in b"".join(path.read_bytes() for path in staged.folder.iterdir())
    whole = b"".join(path.read_bytes() for path in staged.folder.iterdir())
    assert b"cp0a@example.com" in whole  # the control: what is meant to be there can be found so


def test_pages_older_than_an_hour_are_read_anew(staged):
    assert Staging(staged.folder, []).resume(KEY, Clocks(BEGAN + 3600, None))
    assert not Staging(staged.folder, []).resume(KEY, Clocks(BEGAN + 3601, None))


def test_a_record_that_comes_well_later_in_the_scan_is_not_set_aside(staged):
    staged.add(CLIENTS, normalise(CLIENTS, [client("p1b")]), open=[(103, None)], newest_seen=203)
    assert staged.quarantined == []
    staged.add(CLIENTS, normalise(CLIENTS, [client("p0a", balance=None)]), open=[(104, None)], newest_seen=204)
    staged.add(CLIENTS, normalise(CLIENTS, [client("p0a", name=5)]), open=[(104, None)], newest_seen=204)
    assert [(q.id, q.field) for q in resumed(staged).quarantined] == [("p0a", "name")]
