"""The rules of `ninja-sync dedupe`, as its commands read them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.dedupe.rules import Rules

RulesFile = Annotated[Path | None, typer.Option("--rules", help="The file of rules; else config/dedupe.toml.")]


def read_rules(file: Path | None) -> Rules:
    """The rules of a file, or of config/dedupe.toml, or the shipped ones. Raises SettingsError without the extra."""
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - an extra

    return load_rules(file)
