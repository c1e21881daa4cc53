"""The tree at the top of schemas/errors.py is complete and true: a reader finds every error there."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

from schemas import errors

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("connector", "flows", "schemas", "warehouse")
TREE = re.compile(r"^ {4}((?:[│├└─ ]{4})*)(\w+)(?: +(\d+))?(?: .*)?$", re.MULTILINE)
BESIDE = re.compile(r"`(\w+)`\s+in\s+([\w/]+\.py)")


def tree():
    """Each name of the tree, with the name above it and its exit code."""
    branch, found = [], {}
    for indent, name, code in TREE.findall(errors.__doc__):
        del branch[len(indent) // 4 :]
        parent = branch[-1] if branch else None
        found[name] = (parent, int(code) if code else found[parent][1])
        branch.append(name)
    return found


def classes():
    """The base names of each class of our packages, by the file and the name of the class."""
    found = {}
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    bases = [getattr(base, "attr", getattr(base, "id", "")) for base in node.bases]
                    found[str(file.relative_to(ROOT)), node.name] = bases
    return found


def exceptions():
    """Those that are exceptions, by the names of their bases; of their own module or of others."""
    known = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    raised = {name for name in known if issubclass(getattr(builtins, name), BaseException)}
    raised |= {"Exit", "Abort", "ClickException", "UsageError", "BadParameter"}  # typer's
    every, count = classes(), -1
    while count != len(raised):
        count = len(raised)
        raised |= {name for (_, name), bases in every.items() if raised & set(bases)}
    return {place for place, bases in every.items() if raised & set(bases)}


def test_the_tree_shows_each_error_under_its_base_with_its_exit_code():
    real = {
        name: (kind.__base__.__name__ if kind is not errors.SyncError else None, kind.exit_code)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.SyncError)
    }
    assert tree() == real
    assert len(real) > 25


def test_every_exception_of_our_packages_is_in_the_tree_or_named_beside_it():
    elsewhere = {
        (file, name) for file, name in exceptions() if file != "schemas/errors.py" and not name.startswith("_")
    }
    assert elsewhere == {(file, name) for name, file in BESIDE.findall(errors.__doc__)}


def test_a_private_exception_stays_in_its_module():
    private = {(file, name) for file, name in exceptions() if name.startswith("_")}
    assert private
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            text, here = file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))
            for home, name in private:
                assert home == here or not re.search(rf"\bimport\b.*\b{name}\b", text), (here, name)


def test_the_message_of_an_error_is_the_first_line_of_its_class():
    for name in tree():
        kind = getattr(errors, name)
        assert str(kind()) == kind.__doc__.split("\n", 1)[0]
