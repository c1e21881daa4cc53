"""Files that a person names: a plain file is replaced whole; devices, FIFOs and links stay what they are."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.show.output import write_output
from schemas.errors import SettingsError, SyncError, WarehouseError

STRANGER = 65534
"""Another user of the machine: nobody."""
ASK = ("sql", "select 1 as one")
ANSWER = b"\xef\xbb\xbfone\r\n1\r\n"


@pytest.fixture
def asks(command, tmp_path):
    """`ninja-sync sql --csv` onto something, after a pull."""
    assert command("pull")[0] == 0

    def run(target):
        return command(*ASK, "--csv", target)

    return run


def test_an_answer_goes_where_the_person_says(asks, command, tmp_path):
    plain, target, link = tmp_path / "plain.csv", tmp_path / "folder" / "target.csv", tmp_path / "link.csv"
    plain.write_text("before")
    target.parent.mkdir()
    target.write_text("before")
    link.symlink_to(target)
    assert [asks(path)[0] for path in (plain, link)] == [0, 0]
    assert (plain.read_bytes(), target.read_bytes()) == (ANSWER, ANSWER)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (asks("-"), asks("/dev/stdout")) == ((0, "one\n1\n", ""), (0, "\ufeffone\n1\n", ""))
    assert stat.S_ISLNK(Path("/dev/stdout").lstat().st_mode)
    assert asks("/dev/null") == (0, "", "")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    code, _, err = asks("/dev/full")
    assert (code, "the disk is full" in err) == (1, True)
    code, _, err = asks(tmp_path)
    assert (code, "is a folder" in err) == (2, True)
    code, _, err = asks(tmp_path / "none" / "x.csv")
    assert (code, "No such file or directory" in err) == (2, True)
    assert sorted(file.name for file in tmp_path.iterdir() if ".part" in file.name) == []


def test_a_fifo_is_written_to(asks, tmp_path):
    fifo, read = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    assert asks(fifo) == (0, "", "")
    reader.join()
    assert read == [ANSWER]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@pytest.mark.parametrize("where", ["-", "/dev/stdout"])
def test_where_the_shell_sends_the_output_into_a_file_it_is_that_file(tmp_path, where):
    """The file is not replaced: what is said before and after goes into it too."""
    words = "print('before'); write_output(sys.argv[1], b'answer\\n'); print('after')"
    program = f"import sys; from flows.show.output import write_output; {words}"
    with (tmp_path / "out").open("wb") as sent:
        subprocess.run([sys.executable, "-c", program, where], stdout=sent, check=True)
    assert (tmp_path / "out").read_text() == "before\nanswer\nafter\n"


def test_a_link_to_a_file_that_is_not_there_makes_it(tmp_path):
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_output(link, b"answer")
    assert (link.is_symlink(), target.read_bytes()) == (True, b"answer")


def test_links_that_lead_in_a_circle_are_refused(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(SettingsError, match="cannot be written"):
        write_output(link, b"answer")


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "answer.csv"
    file.write_text("before")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SyncError, match=rf"{tmp_path}, the disk is full"):
            write_output(file, b"answer")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("answer.csv", "before")]


def prepared(path: Path, what: str, leads_to: Path) -> None:
    """What another user of the machine puts at a name that can be guessed."""
    if what == "link":
        path.symlink_to(leads_to)
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        path.write_text("theirs")
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


@pytest.mark.parametrize("what", ["link", "fifo"])
def test_a_link_or_fifo_of_another_user_is_refused(shared, tmp_path, what):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    prepared(shared / "answer.csv", what, mine)
    with pytest.raises(WarehouseError, match="another user"):
        write_output(shared / "answer.csv", b"answer")
    assert mine.read_text() == "precious"


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "file"])
def test_names_that_another_user_could_guess_are_not_used(shared, tmp_path, what):
    mine = tmp_path / "mine"
    mine.write_text("precious")
    for name in ("answer.csv.part", f"answer.csv.{os.getpid()}.part"):
        prepared(shared / name, what, mine)
    write_output(shared / "answer.csv", b"answer")
    assert (mine.read_text(), (shared / "answer.csv").read_bytes()) == ("precious", b"answer")
