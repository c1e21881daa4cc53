"""`init`, `source add` and `source list`, as a person at a terminal and a program use them."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import sys
import time
import tomllib
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("ninja-sync"))
PATIENCE = 120.0


def at_a_terminal(folder, *command, answers):
    """Run a command at a terminal, and answer each of its questions: (exit code, what stood on the screen)."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        home = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "COLUMNS": "80"}
        os.execve(COMMAND, [COMMAND, *command], home)  # noqa: S606 - our own command
    screen, asked, until = "", 0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            screen += os.read(terminal, 4096).decode()
        except OSError:  # the end
            break
        if asked < len(answers) and answers[asked][0] in screen:
            os.write(terminal, f"{answers[asked][1]}\n".encode())
            asked += 1
    assert asked == len(answers), screen
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), screen.replace("\r\n", "\n")


def test_init_asks_stores_the_token_and_looks_whether_all_is_well_and_adds_a_second_company(server, tmp_path):
    questions = [("Address of your", server.box.url), ("Token (Enter", server.box.token)]
    code, screen = at_a_terminal(tmp_path, "init", answers=questions)
    assert code == 0, screen
    token = tmp_path / "config/main.token"
    assert (token.read_text().strip(), stat.S_IMODE(token.stat().st_mode)) == (server.box.token, 0o600)
    assert server.box.token not in screen
    assert "accepted: user" in " ".join(screen.split())
    file = tmp_path / "config/ninja-sync.toml"
    assert server.box.token not in file.read_text()
    file.chmod(0o640)
    again = [("A short name", "shop"), ("Address of your", server.box.url), ("Token (Enter", server.box.other_token)]
    code, screen = at_a_terminal(tmp_path, "init", answers=again)
    assert code == 0, screen
    found = tomllib.loads(file.read_text())["sources"]
    assert {name: one["token_file"] for name, one in found.items()} == {"main": "main.token", "shop": "shop.token"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_init_with_a_wrong_token_says_so_and_how_to_go_on(server, tmp_path):
    questions = [("Address of your", server.box.url), ("Token (Enter", "wrong-token")]
    code, screen = at_a_terminal(tmp_path, "init", answers=questions)
    assert (code, "then: ninja-sync doctor" in screen, "wrong-token" in screen) == (5, True, False)


@pytest.fixture
def alone(command):
    """Run a command with nothing of the source in the environment."""
    nothing = {"NINJA_SYNC_URL": "", "NINJA_SYNC_WAREHOUSE": "", "NINJA_SYNC_TOKEN": ""}
    return lambda *args, **environ: command(*args, environ={**nothing, **environ})


def test_source_add_and_list_work_before_the_first_pull(alone, server, tmp_path):
    added = ("source", "add", "shop", "--url", server.box.url, "--token-env", "SHOP_TOKEN")
    assert (alone(*added)[0], "ninja-sync init" in alone(*added)[2]) == (2, True)
    assert alone("init", "--url", server.box.url, "--token-env", "MAIN_TOKEN")[0] == 0
    assert alone(*added)[0] == 0
    code, _, err = alone(*added)
    assert (code, "has the source 'shop'" in err) == (2, True)
    states = {one["source"]: (one["state"], one["secret"]) for one in json.loads(alone("source", "list", "--json")[1])}
    assert states == {"main": ("not pulled yet", "env MAIN_TOKEN"), "shop": ("not pulled yet", "env SHOP_TOKEN")}
    assert alone("pull", "--source", "shop", SHOP_TOKEN=server.box.token)[0] == 0
    code, out, _ = alone("source", "list")
    assert (code, "not pulled yet" in out, "bound" in out) == (0, True, True)
