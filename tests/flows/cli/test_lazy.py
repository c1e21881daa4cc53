"""Options read without pydantic have the values that typer reads, and typer refuses what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from flows.cli.commands import GROUPS
from flows.cli.lazy import PlainCommand, _PlainValues, load_command

COMMANDS = [(group, command.name) for group, table in GROUPS.items() for command in table.commands()]
VALUES = [None, "", "x", "-", "7", "-1", "a b", "ż", ["x"], ["x", "y"], True, False]


def outcome(param, ctx, value):
    try:
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)
    except (typer.BadParameter, TypeError, ValueError) as problem:
        return type(problem), str(problem)


@pytest.mark.parametrize(("group", "name"), COMMANDS, ids=map(" ".join, COMMANDS))
def test_every_option_has_the_value_that_typer_gives_it(group, name, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.touch()
    command = load_command(group, name)
    ctx = typer.Context(command)
    for readable in (True, False):
        monkeypatch.setattr(os, "access", lambda *_args, answer=readable: answer)
        for param in command.get_params(ctx):
            for value in [*VALUES, str(file), str(tmp_path), str(tmp_path / "missing"), [str(file)], Path("x")]:
                param._runtime_param = None
                typers = outcome(param, ctx, value)
                param._runtime_param = _PlainValues()
                assert outcome(param, ctx, value) == typers, (param.name, value)


def test_a_command_reads_plain_values():
    command = load_command("ninja-sync", "pull")
    assert isinstance(command, PlainCommand)
    with command.make_context("pull", ["--source", "main", "--config", "x.toml", "--full"]) as ctx:
        assert ctx.params == {"full": True, "source": "main", "config": Path("x.toml"), "as_json": False}
        assert isinstance(command.params[1]._runtime_param, _PlainValues)
