"""Options that several commands share: one name and one meaning each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SourceName = Annotated[str | None, typer.Option("--source", help="A configured source: one company on one server.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file; else config/ninja-sync.toml, ~/.config/ninja-sync/ ..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]

Separator = Annotated[
    str | None, typer.Option(metavar="NAME", help="Between the values of a CSV: comma, semicolon, tab or bar.")
]
DecimalSign = Annotated[str | None, typer.Option("--decimal", metavar="SIGN", help="The decimal sign of a CSV: . or ,")]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="The encoding of a CSV that is not UTF-8, such as windows-1250.")
]
SheetName = Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook.")]
NullWords = Annotated[
    str | None,
    typer.Option("--null-words", metavar="MEANING", help="How to read words such as NULL and nan: text or blank."),
]

CsvFile = Annotated[
    str | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV; - is standard output.")
]
WorkbookFile = Annotated[
    str | None,
    typer.Option("--xlsx", metavar="FILE", help="Write the rows as an Excel workbook; - is standard output."),
]
Currencies = Annotated[
    list[str] | None, typer.Option("--currency", metavar="CODE", help="Only this currency, or several: EUR,USD.")
]
PictureFile = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Also draw a picture: FILE.png, FILE.svg or FILE.pdf.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help="A difference to allow: currency, tax, country or inactive; repeatable."),
]
NoRescue = Annotated[bool, typer.Option("--no-rescue", help="Do not save values and contacts that the server drops.")]
PublicNotes = Annotated[bool, typer.Option("--public-notes", help="Append public notes too; customers can read them.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write plan and preview into this file too.")]
