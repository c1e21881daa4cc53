"""Read the rules of `ninja-sync dedupe` for its commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.dedupe.rules import Rules

RulesFile = Annotated[Path | None, typer.Option("--rules", help="The file of rules; else config/dedupe.toml.")]


def read_rules(file: Path | None) -> Rules:
    """Return the rules in a file, else in config/dedupe.toml, else the shipped ones. Raises SettingsError."""
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - an extra

    return load_rules(file)
