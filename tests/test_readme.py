"""The README does not lie: its commands are run, in their order, as a newcomer would; its claims are checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from flows.configuration.load import load_settings
from flows.pull.job import Pulled
from flows.pull.report import pulled_as_json
from sandbox.server import running
from sandbox.store.generation import GENERATIONS
from schemas import errors
from schemas.diff import Change
from schemas.normalise import Drift, Quarantined
from warehouse.control.state import Run
from warehouse.engine.sql import named

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- (not run: [^>]*) -->\n *)?```sh\n(.*?)```", re.DOTALL)


def commands():
    """The shell blocks of the README that are run, each with its indentation taken off."""
    return [re.sub(r"(?m)^   ", "", text) for why, text in BLOCK.findall(README) if not why]


def python_block(word):
    """The block of Python in which this word stands."""
    (found,) = (code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if word in code)
    return found


def test_every_command_of_the_readme_does_what_it_says(tmp_path):
    blocks = commands()
    assert len(blocks) >= 8
    with running(clients=60, seed=3) as box:
        script = "\n".join(blocks).replace("https://invoicing.example.com", box.url).replace("your-token", box.token)
        environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "balances.png").read_bytes().startswith(b"\x89PNG")
    assert "60 new" in done.stderr


def test_the_merge_that_dies_leaves_what_is_said(tmp_path):
    code = python_block("merge_dies")
    with running(clients=60, seed=3) as box:
        keys = {"NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": box.token, "NINJA_SYNC_PASSWORD": box.password}
        done = subprocess.run(
            [sys.executable, "-c", code + "print(kept, other, owing[1]['balance'])"], cwd=tmp_path,
            env={**os.environ, **keys}, capture_output=True, text=True, timeout=100, check=True,
        )  # fmt: skip
        first, last = (line.split() for line in done.stdout.splitlines())
        answer = httpx.get(
            f"{box.url}/api/v1/clients", headers={"X-API-TOKEN": box.token}, params={"client_id": last[1]}
        )
        kept = httpx.get(f"{box.url}/api/v1/clients", headers={"X-API-TOKEN": box.token}, params={"client_id": last[0]})
    before, brought = Decimal(first[1]), Decimal(last[2])
    assert (first[0], Decimal(first[2])) == ("500", before + brought)
    assert answer.json()["data"] == []
    (survivor,) = json.loads(kept.text, parse_float=Decimal)["data"]
    assert survivor["balance"] == before + 2 * brought


def test_the_example_for_programs_notes_what_debtors_owe(tmp_path):
    with running(clients=60, seed=3) as box:
        keys = {"NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": box.token, "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", python_block("open_api")], cwd=tmp_path, env={**os.environ, **keys},
            capture_output=True, text=True, timeout=100, check=True,
        )  # fmt: skip
        answer = httpx.get(
            f"{box.url}/api/v1/clients", headers={"X-API-TOKEN": box.token}, params={"per_page": 100, "sort": "id|asc"}
        )
    noted = [c for c in answer.json()["data"] if c["private_notes"].startswith("owes ")]
    assert len(noted) == len(done.stdout.splitlines()) > 0
    assert all(Decimal(c["private_notes"].removeprefix("owes ")) > 1000 for c in noted)


def test_the_generations_of_the_sandbox_are_those_that_there_are():
    assert re.findall(r"^\| (5\.\d+|20\d\d) ", README, re.MULTILINE) == list(GENERATIONS)


def test_every_block_that_is_not_run_says_why():
    assert all(why.startswith("not run: ") and len(why) > 20 for why, _ in BLOCK.findall(README) if why)


def test_the_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_file_that_is_linked_exists(link):
    assert (ROOT / link).exists()


def test_the_example_configuration_shows_each_setting_with_its_default():
    example = ROOT / "config" / "ninja-sync.example.toml"
    settings = load_settings(example, environ={})
    (source,) = settings.sources.values()
    text = example.read_text()
    for struct in (settings, source, settings.prefect):
        for name in struct.__struct_fields__:
            assert re.search(rf"\b{name}\b", text), name
    told = tomllib.loads(text)
    defaults = {"page_size": 1000, "connections": 4, "look_back": 7200}
    defaults |= {"requests_per_second": 5.0, "retry_budget": 300.0}
    assert {name: told["sources"]["main"][name] for name in defaults} == defaults
    plain = type(source)(url="https://x.example")
    assert {name: getattr(plain, name) for name in defaults} == defaults


def test_every_exit_code_of_the_error_tree_is_explained():
    codes = {c.exit_code for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SyncError)}
    for code in codes - {3, 4}:  # of plans, which come with writing back
        assert f"| {code} |" in README


def test_the_json_of_a_pull_is_as_shown():
    (text,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    shown = json.loads(text)
    now = datetime.now(UTC)
    real = pulled_as_json(
        Pulled(
            Run("run", "main", "pull", began_at=now, finished_at=now, seconds=1, requests=1),
            [Change("a", '{"city": "x"}', '{"city": "y"}')],
            [Drift("clients", "shoe_size", "new")],
            [Quarantined("clients", "a", "balance", "is too large")],
        )
    )
    told = shown["main"]
    assert list(told) == list(real)
    assert set(told["run"]) < set(real["run"])
    assert "notes" not in real["run"]
    for name in ("changes", "quarantined", "drift"):
        assert list(told[name][0]) == list(real[name][0]), name
    assert list(told["changes"][0]["fields"][0]) == list(real["changes"][0]["fields"][0])
    assert list(shown["office"]) == ["error", "exit_code"]  # tests/flows/cli/test_cli.py holds the command to it


def test_the_views_that_are_described_are_those_that_there_are():
    assert sorted(re.findall(r"^\| `mart\.(\w+)`", README, re.MULTILINE)) == sorted(named("mart"))


def test_the_picture_of_the_code_shows_files_that_are_there():
    section = README[README.index("## How it is built") :]
    for name in re.findall(r"\b(?:flows|connector|schemas|warehouse|sandbox)/[\w/.]*", section):
        assert (ROOT / name).exists(), name
