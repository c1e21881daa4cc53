"""Options that several commands share: one name and one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SourceName = Annotated[str | None, typer.Option("--source", help="The configured source (one company on one server).")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file; else config/ninja-sync.toml, ~/.config/ninja-sync/ ..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON document, for machines.")]
