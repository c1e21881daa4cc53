"""The README and the pages of docs/: their blocks of code, and what each block has to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = "data-dictionary.md"  # from descriptions in the code; tests/warehouse holds it to them
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != GENERATED)]
FENCE = re.compile(
    r"""
    (?: <!--\ not\ run:\ (?P<reason>[^>]*?)\ -->\n[ \n]*     # why the block is not run
      | <!--\ exit\ code\ (?P<code>\d):[^>]*?\ -->\n[ \n]*     # with which exit code it ends, and why
      | ^`(?P<file>[\w.]+)`[^\n]*:\n\n                       # the file that it is the text of
    )?
    ^(?P<indent>\ *)```(?P<language>\w*)\n(?P<text>.*?)^\ *```$
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: why it is not run, the file that it is the text of, its exit code, as they apply."""

    language: str
    text: str
    reason: str = ""
    file: str = ""
    code: int = 0


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page in their order, each without its indentation."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            match["language"],
            re.sub(f"(?m)^{match['indent']}", "", match["text"]),
            reason=(match["reason"] or "").strip(),
            file=match["file"] or "",
            code=int(match["code"] or 0),
        )
        for match in FENCE.finditer(text)
    ]


def name_of(page: Path) -> str:
    """The name of a page from the project's folder, such as docs/sql.md."""
    return str(page.relative_to(ROOT))
