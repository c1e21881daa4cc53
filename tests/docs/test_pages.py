"""The README and docs/ do not lie: their commands are run in their order, and print what the pages show."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.docs.books import Books, keys_of, start
from tests.docs.pages import GENERATED, PAGES, ROOT, blocks_of, name_of
from tests.docs.shell import run_blocks

RUN = {"sh", "python", "csv"}
OTHER_TESTS = {  # blocks that other tests read from the page and run
    "docs/questions.md": {"sql"},  # tests/flows/test_questions.py
    "docs/bi.md": {"sh", "sql"},  # tests/dbt/proof.py, tests/flows/ask/test_bi.py
}
CHANGING = [  # parts of an output that are other ones in each run
    (re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "<digest>"),
    (re.compile(r"\b(push|merge)-\d{8}-[0-9a-f]{6}\b"), r"<\1>"),
    (re.compile(r"\bin \d+ requests?, \d+\.\d s"), "<requests>"),
    (re.compile(r"https?://127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"[─\s]+"), " "),
]
MADE_BY_PEOPLE = {"config/ninja-sync.toml", "config/dedupe.toml"}
pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


def run_here(page, block):
    return block.language in RUN - OTHER_TESTS.get(name_of(page), set()) and not block.reason


def lines_of(output):
    """The lines of an output in a form that is the same in each run."""
    for line in output.splitlines():
        text = line
        for pattern, word in CHANGING:
            text = pattern.sub(word, text)
        if text.strip():
            yield text.strip()


@pytest.fixture(scope="module")
def books(migrated_file, tmp_path_factory):
    made = Books(migrated_file, tmp_path_factory.mktemp("books") / "pulled")
    yield made
    made.close()


@pytest.mark.quick(where=lambda page: page.name == "README.md")
@pages
def test_every_command_of_the_page_works_and_prints_what_is_shown(page, books, tmp_path):
    blocks = blocks_of(page)
    scripts = [block for block in blocks if run_here(page, block)]
    if not scripts:
        return
    with ExitStack() as stack:
        if page.name == "README.md":  # begins with nothing, as a newcomer does
            box, keys = start(stack), {}
        else:
            box = books.take(tmp_path)
            keys = keys_of(box)
        here = [
            replace(
                block,
                text=block.text.replace("https://invoicing.example.com", box.url).replace("your-token", box.token),
            )
            for block in scripts
        ]
        outputs = run_blocks(here, tmp_path, keys)
    shown = {id(block): output for block, output in zip(scripts, outputs, strict=True)}
    for before, block in pairwise(blocks):
        if block.language == "text":
            assert_shown(block.text, shown[id(before)])


def assert_shown(text, output):
    """Each line of the text stands in the output, in this order."""
    printed = lines_of(output)
    for line in lines_of(text):
        assert line == "..." or line in printed, f"{line!r} is not in (the rest of)\n{output}"


@pages
def test_every_block_is_run_or_says_why_not(page):
    blocks = blocks_of(page)
    for before, block in zip([None, *blocks], blocks, strict=False):
        if block.language == "text":
            assert before is not None
            assert run_here(page, before), "an output follows the command that prints it"
        if block.reason:
            assert len(block.reason) > 20
            assert all((ROOT / name).exists() for name in re.findall(r"\btests/[\w/]+(?:\.py)?", block.reason))
        elif block.language in {"sh", "python", "csv", "sql", "yaml"}:
            assert block.language in RUN | OTHER_TESTS.get(name_of(page), set()), block.text


LINKS = [
    (page, target)
    for page in [*PAGES, ROOT / "docs" / GENERATED]
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{name_of(page)}-{target}" for page, target in LINKS])
def test_every_link_leads_to_a_file_and_a_heading(page, target):
    path, _, heading = target.partition("#")
    linked = (page.parent / path).resolve() if path else page
    assert linked.exists()
    if heading:
        assert heading in {slug(line) for line in re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)}


def slug(heading):
    """The anchor that a page gets for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pages
def test_every_page_is_reached_from_the_readme(page):
    reached = {(page.parent / target.partition("#")[0]).resolve() for page, target in LINKS if page.name == "README.md"}
    assert page in reached | {ROOT / "README.md"}


@pages
def test_the_targets_of_make_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^ *)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pages
def test_the_files_that_the_page_names_exist(page):
    for name in re.findall(r"`((?:docs|config|tests)/[\w./-]+\.\w+)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists() or name in MADE_BY_PEOPLE, name


def test_the_readme_is_short_and_says_in_its_third_line_what_it_is():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 170
    assert all(word in lines[2] for word in ("clients", "contacts", "balances"))


def test_pages_named_by_messages_and_help_exist():
    for room in ("connector", "flows", "schemas", "warehouse", "sandbox"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for name in re.findall(r"\bdocs/[\w/-]+\.\w+", path.read_text(encoding="utf-8")):
                assert (ROOT / name).exists(), f"{path.relative_to(ROOT)} names {name}"
