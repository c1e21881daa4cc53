"""The sheet to undo a merge as a checklist in Markdown, for the terminal and for files."""

from __future__ import annotations

from collections.abc import Iterator

from flows.merge.sheet import Item, UndoSheet


def as_markdown(sheet: UndoSheet) -> str:
    """Return the sheet as Markdown."""
    return "\n".join(_lines(sheet)) + "\n"


def _lines(sheet: UndoSheet) -> Iterator[str]:
    yield f"# Taking back the merge of {sheet.gone}\n"
    yield f"It was merged into {sheet.kept.text}{_link(sheet.kept)}."
    for number, part in enumerate(sheet.parts, start=1):
        yield f"\n## {number}. {part.title}\n"
        yield part.text + "\n" * bool(part.items)
        yield from (f"- [ ] {_on_lines(item.text)}{_link(item)}" for item in part.items)
    yield f"\n## {len(sheet.parts) + 1}. Compare the figures\n"
    yield "| figure | client kept, before | client merged in, before |"
    yield "| --- | ---: | ---: |"
    yield from (f"| {name} | {kept} | {gone} |" for name, kept, gone in sheet.figures)


def _link(item: Item) -> str:
    return f" <{item.url}>" if item.url else ""


def _on_lines(text: str) -> str:
    """Return a text with its further lines indented, so that it stays one item of the list."""
    return text.replace("\n", "\n      ")
