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

Separator = Annotated[
    str | None, typer.Option(metavar="NAME", help="Between the cells of a CSV: comma, semicolon, tab or bar.")
]
DecimalSign = Annotated[str | None, typer.Option("--decimal", metavar="SIGN", help="Before the decimals: . or ,")]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="The encoding of a CSV that is not UTF-8, such as windows-1250.")
]
SheetName = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook.")]
NullWords = Annotated[
    str | None,
    typer.Option("--null-words", metavar="MEANING", help="What cells such as NULL and nan are: text or blank."),
]

Allow = Annotated[
    list[str] | None, typer.Option("--allow", help="What may differ: currency, tax, country, inactive; repeatable.")
]
NoRescue = Annotated[bool, typer.Option("--no-rescue", help="Rescue nothing of what the server drops.")]
PublicNotes = Annotated[bool, typer.Option("--public-notes", help="Append public notes too; customers can read them.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write plan and preview into this file too.")]
