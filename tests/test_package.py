"""The wheel that people install: everything of ours is in it, and it says what it is."""

from __future__ import annotations

import ast
import email
import importlib
import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.without import EXTRAS, PROJECT, ROOT, named_in

ROOMS = ("connector", "flows", "sandbox", "schemas", "warehouse")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as `make release` builds it; nothing is fetched for it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [str(Path(sys.executable).with_name("hatchling")), "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, timeout=100, check=True)
    (file,) = folder.iterdir()
    with zipfile.ZipFile(file) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_every_file_of_our_packages_is_in_the_wheel_and_nothing_else(wheel):
    here = {
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == here
    assert {f"{room}/py.typed" for room in ROOMS} < packed


def test_the_licence_comes_along(wheel, metadata):
    (licence,) = (name for name in wheel.namelist() if name.endswith("/licenses/LICENSE"))
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_version_stands_in_one_place(metadata):
    """In pyproject.toml: the command and the requests ask the installed package, and the changelog begins with it."""
    assert metadata["Version"] == PROJECT["version"]
    (newest, *_) = re.findall(r"(?m)^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert newest == PROJECT["version"] == version("ninja-sync")
    written = re.compile(rf"(?m)^[^#\n]*[\"']{re.escape(PROJECT['version'])}[\"']")
    assert not [file for room in ROOMS for file in (ROOT / room).rglob("*.py") if written.search(file.read_text())]


def test_what_only_a_part_needs_is_an_extra(metadata):
    required = metadata.get_all("Requires-Dist")
    base = named_in(line for line in required if "extra ==" not in line)
    assert base == named_in(PROJECT["dependencies"])
    assert {"starlette", "uvicorn", "pydyf", "hashids"} == named_in(EXTRAS["sandbox"]) - {"tzdata"}
    assert not base & set().union(*map(named_in, EXTRAS.values()))
    assert set(metadata.get_all("Provides-Extra")) == {*EXTRAS, "test"}


def test_every_public_name_of_a_package_exists():
    named = {}
    for file in sorted(file for room in ROOMS for file in (ROOT / room).rglob("__init__.py")):
        module = ".".join(file.parent.relative_to(ROOT).parts)
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
                named[module] = ast.literal_eval(statement.value)
    assert {"connector.clients", "flows"} <= set(named)
    missing = {
        f"{module}.{name}"
        for module, names in named.items()
        for name in names
        if not hasattr(importlib.import_module(module), name)
    }
    assert missing == set()
