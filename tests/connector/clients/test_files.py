"""Files are looked at before they are sent, arrive once, and what the server does not store is told."""

from __future__ import annotations

import pytest

from connector import clients
from connector.clients import files
from schemas.errors import Invalid, NetworkFailed, NotVerified, SettingsError
from schemas.journal import Outcome

PDF = b"%PDF-1.4 something\n%%EOF"


@pytest.fixture
def client(box):
    return box.make("With files")


def made(folder, name, content=PDF):
    file = folder / name
    file.write_bytes(content)
    return file


def test_several_files_arrive_at_once_with_their_names_and_kinds(api, box, client, tmp_path, journal):
    told = [
        made(tmp_path, "Offer Zürich.pdf"),
        made(tmp_path, "list.csv", b"a,b\n1,2\n3,4\n"),
        made(tmp_path, "x.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20),
    ]
    found = clients.upload(api, client["id"], told, is_public=False)
    assert sorted((d.name, d.is_public) for d in found) == [
        ("Offer Zürich.pdf", False),
        ("list.csv", False),
        ("x.png", False),
    ]
    assert len(box.show(client["id"])["documents"]) == 3
    assert journal.last == [(client["id"], Outcome.APPLIED)]


def test_only_the_last_part_of_a_path_is_sent(api, client, tmp_path):
    (tmp_path / "secret folder").mkdir()
    (found,) = clients.upload(api, client["id"], [made(tmp_path / "secret folder", "a.pdf")])
    assert found.name == "a.pdf"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("a.exe", PDF, "no kind"), ("noending", PDF, "no kind"), ("a.pdf", b"", "is empty"), ("a.pdf", b"x", "is empty")],
)
def test_what_the_server_would_not_take_is_refused_before(api, box, client, tmp_path, journal, name, content, words):
    box.requests()
    with pytest.raises(SettingsError, match=words):
        clients.upload(api, client["id"], [made(tmp_path, name, content)])
    assert (box.requests(), journal.calls) == ([], [])


def test_a_missing_file_a_folder_and_nothing_at_all_are_refused(api, client, tmp_path, monkeypatch):
    for told, words in (
        ([tmp_path / "none.pdf"], "cannot be read"),
        ([tmp_path], "cannot be read"),
        ([], "name a file"),
    ):
        with pytest.raises(SettingsError, match=words):
            clients.upload(api, client["id"], told)
    monkeypatch.setattr(files, "MOST_BYTES", 30)
    with pytest.raises(SettingsError, match=r"large\.pdf is larger"):
        clients.upload(api, client["id"], [made(tmp_path, "large.pdf", PDF * 2)])
    with pytest.raises(SettingsError, match="together"):
        clients.upload(api, client["id"], [made(tmp_path, "a.pdf"), made(tmp_path, "b.pdf")])


def test_content_of_another_kind_is_the_servers_to_refuse(api, client, tmp_path, journal):
    with pytest.raises(Invalid):
        clients.upload(api, client["id"], [made(tmp_path, "a.pdf", b"\x00\x01\x02 no kind at all")])
    assert journal.last == [(client["id"], Outcome.REFUSED)]


def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(api, box, client, tmp_path):
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "reset", "after_bytes": 0}])
    (found,) = clients.upload(api, client["id"], [made(tmp_path, "a.pdf")])
    box.switch(faults=[])
    assert [d["id"] for d in box.show(client["id"])["documents"]] == [found.id]
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "reset"}])
    with pytest.raises(NetworkFailed, match="can be done again"):
        clients.upload(api, client["id"], [made(tmp_path, "b.pdf")])
    box.switch(faults=[])
    assert len(box.show(client["id"])["documents"]) == 1


def test_a_200_that_stored_nothing_is_told(api, box, client, tmp_path):
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "empty"}])
    with pytest.raises(NotVerified, match="0 of 1"):
        clients.upload(api, client["id"], [made(tmp_path, "a.pdf")])
    box.switch(faults=[])
