"""The program ends without Python's last search for garbage, and leaves nothing undone that Python would do."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, gc, sys, threading, time
import flows.cli.app
from flows.cli.start import main

def late():
    time.sleep(0.2)
    print("the thread ended")

def run():
    atexit.register(print, "the last function was called")
    sys.stdout.write("a line without an end, ")
    {work}
    sys.exit(7)

flows.cli.app.main = run
main()
"""


def ended(work="pass"):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work=work)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_output_is_complete_and_the_last_functions_are_called():
    assert ended() == (7, "a line without an end, the last function was called\n")


def test_a_thread_that_still_works_is_waited_for():
    code, out = ended("threading.Thread(target=late).start()")
    assert (code, sorted(out.partition(", ")[2].splitlines())) == (
        7, ["the last function was called", "the thread ended"],
    )  # fmt: skip


@pytest.mark.parametrize(("code", "shown"), [("None", (0, "")), ("'a text'", (1, "a text\n"))])
def test_an_end_without_a_number_is_left_to_python(code, shown):
    program = PROGRAM.format(work=f"sys.exit({code})")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == shown


def test_garbage_is_collected_once_a_command_is_imported():
    program = PROGRAM.format(work="from flows.cli.lazy import load_command; load_command('ninja-sync', 'pull')")
    program = program.replace("sys.exit(7)", "sys.exit(int(gc.isenabled() and gc.get_freeze_count() > 10_000))")
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 1
