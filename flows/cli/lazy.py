"""A group of commands that imports a command's module only when that command is called, or its help is shown.

`ninja-sync --help` and shell completion list the commands from the table in `commands.py` and import none of them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from flows.cli.commands import GROUPS, Group


class _PlainValues:
    """Read the value of an option as typer does, but without pydantic where it is missing, a text or a path.

    typer builds an adapter of pydantic for every option, even for one that is not given: 0.06 s in each cold start.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        kind = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if kind is str and isinstance(value, str):
            return value
        if kind is Path and isinstance(value, str):
            path = Path(value)
            if not os.path.lexists(path) or os.access(path, os.R_OK):  # typer refuses a file that cannot be read
                return path
        param._runtime_param = None  # noqa: SLF001 - as below
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


class _Plain:
    """A command or group whose options have plain values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments into the context; return the rest."""
        for param in self.get_params(ctx):  # type: ignore[attr-defined]  # of typer's class
            param._runtime_param = _PlainValues()  # noqa: SLF001 - typer is pinned (< 0.30), and a test compares values
        rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]  # as above
        return rest


class PlainCommand(_Plain, TyperCommand):
    """A command that imports pydantic only for values that need it."""


class LazyGroup(_Plain, TyperGroup):
    """A group that finds its commands in the table by its own name, and lists them in panels."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the command that was called, and return it."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and load_command(str(self.name), str(listed.name)), rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands in their panels. Plain text: typer's own panels take 0.1 s and need rich."""
        width = max(map(len, self.list_commands(ctx)))
        for title, commands in GROUPS[str(self.name)].panels.items():
            with formatter.section(title):
                formatter.write_dl([(command.name.ljust(width), command.summary) for command in commands])


def list_commands(app: typer.Typer, group: Group) -> None:
    """Let a group list its commands by name and summary."""
    for panel, commands in group.panels.items():
        for command in commands:
            app.command(command.name, short_help=command.summary, rich_help_panel=panel)(_not_imported)


def load_command(group: str, name: str) -> Any:
    """Return the command of a group, ready to be called; a group if the table has a group of this name."""
    command = next(command for command in GROUPS[group].commands() if command.name == name)
    if not command.function:
        return typer.main.get_command(_group(name))
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, cls=PlainCommand)(_imported(command.function))
    return typer.main.get_command(app)


def _group(name: str) -> typer.Typer:
    group = GROUPS[name]
    app = typer.Typer(
        name=name, cls=LazyGroup, help=group.help, no_args_is_help=not group.function, add_completion=False,
        pretty_exceptions_enable=False, rich_markup_mode=None,
    )  # fmt: skip
    app.callback(invoke_without_command=bool(group.function))(
        _imported(group.function) if group.function else _not_imported
    )
    list_commands(app, group)
    return app


def _imported(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    imported: Callable[..., Any] = getattr(import_module(module), name)
    if not gc.isenabled():  # `start.py` has disabled it
        gc.freeze()  # no collection looks at what is imported by now
        gc.enable()
    return imported


def _not_imported() -> None:
    """Stand in for a command until it is imported."""
