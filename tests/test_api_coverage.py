"""The OpenAPI text of the clients API and the code, side by side: nothing of it is missing, and nothing is made up."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from connector import clients
from connector.clients.bulk import COLUMNS
from flows.cli.commands import NAME
from flows.cli.lazy import load_command

TESTS = Path(__file__).parent
TEXT = (TESTS / "clients-openapi.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Kept:
    """How an operation is kept: a function of `connector.clients`, a command, and a file whose tests call the function.

    The command is one of `ninja-sync clients`, unless it names another group.
    `repeats` is what the docstring of one that writes says of being repeated; None of one that reads.
    """

    function: str
    command: str
    tested_in: str
    repeats: str | None = "[Mm]ay be repeated|[Nn]ot to be repeated"


ON_TAPE = "connector/clients/test_cassettes.py"
BULK = Kept("bulk_update", "bulk-update", ON_TAPE)
OPERATIONS = {
    "getClients": Kept("list_clients", "list", ON_TAPE, None),
    "storeClient": Kept("create", "create", "connector/clients/test_create.py", "[Mm]ay be repeated"),
    "showClient": Kept("show", "get", ON_TAPE, None),
    "updateClient": Kept("update", "update", ON_TAPE),
    "deleteClient": Kept("delete_one", "delete", "connector/clients/test_bulk.py"),
    "editClient": Kept("edit", "get", "connector/clients/test_read.py", None),
    "getClientsCreate": Kept("blank", "blank", "connector/clients/test_read.py", None),
    "bulkClients": BULK,
    "uploadClient": Kept("upload", "upload", "connector/clients/test_files.py", "[Nn]ot to be repeated"),
    "purgeClient": Kept("purge", "purge", ON_TAPE),
    "mergeClient": Kept("merge", "merge apply", ON_TAPE, "[Nn]ever repeat"),
    "clientStatement": Kept("client_statement", "statement", "connector/clients/test_statements.py", None),
    "reactivateEmail": Kept("reactivate_email", "reactivate-email", "connector/clients/test_odd_operations.py"),
    "updateClientTaxData": Kept("update_tax_data", "update-tax-data", "connector/clients/test_odd_operations.py"),
}
BULK_ACTIONS = {
    "archive": Kept("archive", "archive", "connector/clients/test_bulk.py"),
    "restore": Kept("restore", "restore", "connector/clients/test_bulk.py"),
    "delete": Kept("delete", "delete", "connector/clients/test_bulk.py"),
    "template": Kept("run_template", "template", "connector/clients/test_odd_operations.py"),
    "assign_group": Kept("assign_group", "assign-group", "connector/clients/test_bulk.py"),
    "bulk_update": BULK,
}
EVERY = [pytest.param(kept, id=name) for name, kept in {**OPERATIONS, **BULK_ACTIONS}.items()]


def listed(beginning, end):
    """The names of a list in the text: `- archive - restore - template _requires ..._`."""
    (part,) = re.findall(f"{beginning}(.*?){end}", TEXT)
    return re.findall(r"(?:^|\s)- (\w+)", part)


def test_every_operation_of_the_text_is_in_the_table_and_no_other():
    found = re.findall(r"operationId: (\w+)", TEXT)
    assert len(found) == len(set(found)) == len(re.findall(r"\b(?:get|post|put|patch|delete): tags:", TEXT)) == 14
    assert set(OPERATIONS) == set(found)


def test_every_bulk_action_of_the_text_is_in_the_table_and_no_other():
    found = listed("following actions are supported", "All of these actions")
    assert len(found) == 6
    assert set(BULK_ACTIONS) == set(found)


def test_every_column_that_bulk_update_is_said_to_write_is_written_and_no_other():
    found = listed("list of supported columns", "operationId: bulkClients")
    assert len(found) == 8
    assert set(COLUMNS) == set(found)


def test_every_include_that_the_text_shows_can_be_asked_for():
    (shown,) = set(re.findall(r"\?include=([a-z_]+(?:,[a-z_]+)*)", TEXT))
    assert len(shown.split(",")) == 3
    assert set(shown.split(",")) <= set(clients.INCLUDES)


@pytest.mark.parametrize("kept", EVERY)
def test_a_public_function_does_it_and_says_what_it_does_and_whether_it_may_be_repeated(kept):
    assert kept.function in clients.__all__
    told = inspect.getdoc(getattr(clients, kept.function))
    assert told
    if kept.repeats:
        assert re.search(kept.repeats, " ".join(told.split()))


@pytest.mark.parametrize("kept", EVERY)
def test_a_command_does_it_and_its_help_says_what_it_does(kept):
    path = kept.command.split() if " " in kept.command else ["clients", kept.command]
    assert load_command(*path).help


def test_every_command_of_clients_is_for_something():
    commands = load_command(NAME, "clients").commands
    assert {kept.values[0].command for kept in EVERY} | {"documents"} >= set(commands)


@pytest.mark.parametrize("kept", EVERY)
def test_a_test_calls_it(kept):
    path = TESTS / kept.tested_in
    assert path.exists()
    assert any(kept.function in names for names in used_by_tests(path).values())


@cache
def used_by_tests(path):
    """The names that each test of a file uses: `clients.show(...)` uses `show`."""
    return {
        function.name: {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
        | {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
    }
