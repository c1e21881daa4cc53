"""What the pages say about codes, views, settings and folders is so in the code."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

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
from tests.docs.books import keys_of
from tests.docs.pages import ROOT, blocks_of
from tests.docs.shell import run
from warehouse.control.state import Run
from warehouse.engine.sql import named


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def the_block(page, language, word=""):
    """The one block of this language in which this word stands."""
    (text,) = (b.text for b in blocks_of(ROOT / page) if b.language == language and word in b.text)
    return text


def python_of(page, word, folder, monkeypatch, box):
    """Run the page's program against this server; the words of each line that it prints."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    for name, value in keys_of(box).items():
        monkeypatch.setenv(name, value)
    answer = run("python", ["-"], the_block(page, "python", word))
    assert answer.code == 0, answer.errors
    return [line.split() for line in answer.output.splitlines()]


def clients_of(box, **params):
    answer = httpx.get(f"{box.url}/api/v1/clients", headers={"X-API-TOKEN": box.token}, params=params)
    return json.loads(answer.text, parse_float=Decimal)["data"]


def test_the_merge_that_dies_adds_the_balance_and_its_repetition_adds_it_again(tmp_path, monkeypatch):
    with running(clients=60, seed=3) as box:
        owing = clients_of(box, status="active", between_balance="1:1000000", per_page=2, sort="id|asc")
        kept, other = (client["id"] for client in owing)
        before, brought = (client["balance"] for client in owing)
        ((status, shown, left),) = python_of("docs/sandbox.md", "merge_dies", tmp_path, monkeypatch, box)
        assert clients_of(box, client_id=other) == []
        (merged,) = clients_of(box, client_id=kept)
    assert (status, Decimal(shown), Decimal(left)) == ("500", before, before + brought)
    assert merged["balance"] == before + 2 * brought


def test_the_program_of_writing_back_notes_what_debtors_owe(tmp_path, monkeypatch):
    with running(clients=60, seed=3) as box:
        lines = python_of("docs/writing-back.md", "open_api", tmp_path, monkeypatch, box)
        noted = [c for c in clients_of(box, per_page=100, sort="id|asc") if c["private_notes"].startswith("owes ")]
    assert len(noted) == len(lines) > 0
    assert all(Decimal(c["private_notes"].removeprefix("owes ")) > 1000 for c in noted)


def test_the_generations_of_the_sandbox_are_those_that_there_are():
    assert re.findall(r"^\| (5\.\d+|20\d\d) ", text_of("docs/sandbox.md"), re.MULTILINE) == list(GENERATIONS)


def test_the_example_configuration_shows_each_setting_with_its_default():
    example = ROOT / "config" / "ninja-sync.example.toml"
    settings = load_settings(example, environ={})
    (source,) = settings.sources.values()
    text = example.read_text()
    for struct in (settings, source, settings.prefect):
        for name in struct.__struct_fields__:
            assert re.search(rf"\b{name}\b", text), name
    written = tomllib.loads(text)["sources"]["main"]
    defaults = {"page_size": 1000, "connections": 4, "look_back": 7200}
    defaults |= {"requests_per_second": 5.0, "retry_budget": 300.0}
    assert {name: written[name] for name in defaults} == defaults
    plain = type(source)(url="https://x.example")
    assert {name: getattr(plain, name) for name in defaults} == defaults


@pytest.mark.parametrize("code", errors.EXIT_CODES)
def test_the_page_explains_an_exit_code_in_the_words_of_help(code):
    row = re.search(rf"^\| {code} \| ([^|]+) \|", text_of("docs/json-and-exit-codes.md"), re.MULTILINE)
    assert row[1].startswith(errors.EXIT_CODES[code])


def test_the_json_of_a_pull_is_as_shown():
    shown = json.loads(the_block("docs/json-and-exit-codes.md", "json"))
    now = datetime.now(UTC)
    real = pulled_as_json(
        Pulled(
            Run("run", "main", "pull", began_at=now, finished_at=now, seconds=1, requests=1),
            [Change("a", '{"city": "x"}', '{"city": "y"}')],
            [Drift("clients", "shoe_size", "new")],
            [Quarantined("clients", "a", "balance", "is too large")],
        )
    )
    main = shown["main"]
    assert list(main) == list(real)
    assert set(main["run"]) < set(real["run"])
    assert "notes" not in real["run"]
    for name in ("changes", "quarantined", "drift"):
        assert list(main[name][0]) == list(real[name][0]), name
    assert list(main["changes"][0]["fields"][0]) == list(real["changes"][0]["fields"][0])
    assert list(shown["office"]) == ["error", "exit_code"]  # tests/flows/cli holds the command to it


def test_the_views_that_are_described_are_those_that_there_are():
    assert sorted(re.findall(r"^\| `mart\.(\w+)`", text_of("docs/sql.md"), re.MULTILINE)) == sorted(named("mart"))


def picture_of(page):
    return next(block.text for block in blocks_of(ROOT / page) if "connector/" in block.text)


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_folders_and_files_that_are_named_are_there(page):
    for name in re.findall(r"\b(?:flows|connector|schemas|warehouse|sandbox)/[\w/.]*", text_of(page)):
        assert (ROOT / name).exists(), name


def test_the_picture_of_the_readme_names_folders():
    for line in picture_of("README.md").splitlines():
        room, _, folders = line.partition("/  ")
        if room.strip() in ROOMS:
            for name in re.findall(r"(\w+)(?: [·→,◀]|$)", folders.split("    ")[0]):
                assert (ROOT / room.strip() / name).is_dir(), name


ROOMS = ("flows", "connector", "warehouse")


def folders_of(room):
    return [folder for folder in sorted((ROOT / room).iterdir()) if (folder / "__init__.py").exists()]


@pytest.mark.parametrize("room", ROOMS)
def test_the_picture_of_architecture_leaves_no_folder_out(room):
    words = set(re.findall(r"\w+", picture_of("docs/architecture.md")))
    assert {folder.name for folder in folders_of(room)} <= words


@pytest.mark.parametrize("room", ["connector", "warehouse"])
def test_arrows_in_the_picture_go_the_way_of_the_import_contracts(room):
    contracts = {c["name"]: c for c in tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]}
    floors = {
        name: floor for floor, layer in enumerate(contracts[room]["layers"]) for name in re.findall(r"\w+", layer)
    }
    arrows = picture_of("README.md").split(f"{room}/")[1].splitlines()[0].split("    ")[0]
    chain = [[floors[name] for name in re.findall(r"\w+", step)] for step in arrows.split("→")]
    assert len(chain) > 1
    assert all(min(lower) >= max(upper) for lower, upper in pairwise(chain))
