"""The commands of `ninja-sync clients` (files)."""

from __future__ import annotations

import typer


def register(_clients: typer.Typer) -> None:
    """Add the commands of this module."""
