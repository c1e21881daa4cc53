"""Files are looked at before they are sent, arrive once, and what the server does not store is told."""

from __future__ import annotations

import os

import pytest

from connector import clients
from connector.clients import files
from sandbox.books.file_kinds import ACCEPTED
from sandbox.clients.files import LARGEST
from schemas.errors import Invalid, NetworkFailed, NotFound, NotVerified, SettingsError
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


def test_the_journal_has_the_kinds_of_the_files_and_not_their_names(api, client, tmp_path, journal):
    (first,) = clients.upload(api, client["id"], [made(tmp_path, "Anna Muster.PDF")])
    clients.upload(api, client["id"], [made(tmp_path, "b.txt", b"some text"), made(tmp_path, "c.pdf")])
    edits = [(dict(edit.before), dict(edit.after)) for call in journal.calls for edit in call.edits]
    assert edits == [
        ({"documents": []}, {"documents": ["pdf"]}),
        ({"documents": [first.id]}, {"documents": ["txt", "pdf"]}),
    ]


def test_it_is_the_servers_choice_who_sees_them_where_nobody_says(api, client, tmp_path):
    (found,) = clients.upload(api, client["id"], [made(tmp_path, "a.pdf")])
    assert found.is_public is True


def test_only_the_last_part_of_a_path_is_sent(api, client, tmp_path):
    (tmp_path / "secret folder").mkdir()
    (found,) = clients.upload(api, client["id"], [made(tmp_path / "secret folder", "a.pdf")])
    assert found.name == "a.pdf"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.exe", PDF, "does not take"),
        ("noending", PDF, "does not take"),
        ("a.pdf", b"", "is empty"),
        ("a.pdf", b"x", "is empty"),
    ],
)
def test_what_the_server_would_not_take_is_refused_before(api, box, client, tmp_path, journal, name, content, words):
    box.requests()
    with pytest.raises(SettingsError, match=words):
        clients.upload(api, client["id"], [made(tmp_path, name, content)])
    assert (box.requests(), journal.calls) == ([], [])


def test_what_cannot_be_read_to_its_end_is_refused(api, box, client, tmp_path, journal):
    os.mkfifo(tmp_path / "pipe.pdf")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pdf")
    with open(odd, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(PDF)
    box.requests()
    for told, words in (
        ([tmp_path / "none.pdf"], r"none\.pdf cannot be read \(No such file"),
        ([tmp_path / "a\0.pdf"], "cannot be read"),
        ([tmp_path], "not a plain file"),
        ([tmp_path / "pipe.pdf"], r"pipe\.pdf is not a plain file"),
        ([files.Path(odd)], "is not text"),
        ([], "name a file"),
    ):
        with pytest.raises(SettingsError, match=words):
            clients.upload(api, client["id"], told)
    assert (box.requests(), journal.calls) == ([], [])


def test_too_much_is_refused_before_a_byte_of_it_is_read(api, box, client, tmp_path, journal):
    """Files with holes: they take no room, and reading them would take long."""

    def hollow(name, size):
        file = made(tmp_path, name)
        os.truncate(file, size)
        return file

    largest = hollow("largest.pdf", files.MOST_BYTES)
    box.requests()
    for told, words in (
        ([hollow("larger.pdf", files.MOST_BYTES + 1)], r"larger\.pdf is larger than 100,000 kB"),
        ([largest, made(tmp_path, "a.pdf")], "together"),
        ([made(tmp_path, "a.pdf"), tmp_path / "." / "a.pdf"], "named twice"),
    ):
        with pytest.raises(SettingsError, match=words):
            clients.upload(api, client["id"], told)
    assert (box.requests(), journal.calls) == ([], [])


def test_the_limit_is_the_servers_own():
    assert files.MOST_BYTES == LARGEST * 1024
    assert set(ACCEPTED) <= set(files.ENDINGS)


def test_content_of_another_kind_is_the_servers_to_refuse(api, box, client, tmp_path, journal):
    told = [made(tmp_path, "fine.pdf"), made(tmp_path, "odd.pdf", b"\x00\x01\x02 no kind at all")]
    with pytest.raises(Invalid, match=r"These are: \S+odd\.pdf\. Their content"):
        clients.upload(api, client["id"], told)
    assert journal.last == [(client["id"], Outcome.REFUSED)]
    assert "odd" not in journal.messages["call-1"]
    assert box.show(client["id"])["documents"] == []


def test_a_lost_answer_is_looked_up_and_nothing_is_sent_twice(api, box, client, tmp_path):
    slept = []
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "reset", "after_bytes": 0}])
    (found,) = clients.upload(api, client["id"], [made(tmp_path, "a.pdf")], sleep=slept.append)
    assert slept == []
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "reset"}])
    box.requests()
    with pytest.raises(NetworkFailed, match="can be done again"):
        clients.upload(api, client["id"], [made(tmp_path, "b.pdf")], sleep=slept.append)
    assert sum("/upload" in one for one in box.requests()) == 1
    assert sum(slept) == 60  # the server might still have been at it
    box.switch(faults=[])
    assert [d["id"] for d in box.show(client["id"])["documents"]] == [found.id]


def test_what_a_server_stores_after_the_connection_is_lost_is_found(api, box, client, tmp_path):
    def meanwhile(_seconds):
        box.switch(faults=[])
        api.door.upload(f"/clients/{client['id']}/upload", "late.pdf", PDF, repeatable=False)

    box.switch(faults=[{"on": "* /clients/*/upload", "do": "reset"}])
    (found,) = clients.upload(api, client["id"], [made(tmp_path, "late.pdf")], sleep=meanwhile)
    assert found.name == "late.pdf"


def test_a_200_that_stored_nothing_is_told(api, box, client, tmp_path, journal):
    box.switch(faults=[{"on": "* /clients/*/upload", "do": "empty"}])
    with pytest.raises(NotVerified, match="0 of 1"):
        clients.upload(api, client["id"], [made(tmp_path, "a.pdf")])
    box.switch(faults=[])
    assert journal.last == [(client["id"], Outcome.NOT_APPLIED)]


def test_a_client_that_is_none_is_no_place_for_files(api, tmp_path, journal):
    for wrong, error in (("zzzzzzzzzz", NotFound), ("create", SettingsError)):
        with pytest.raises(error):
            clients.upload(api, wrong, [made(tmp_path, "a.pdf")])
    assert journal.calls == []
