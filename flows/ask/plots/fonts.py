"""Choose fonts for a text in any script: from the extra `plot`, then from the system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

FIRST = "DejaVu Sans"
PACKAGES = ("manimgx_fonts", "noto_cjk_sans_jp_regular")
"""Packages with the Noto fonts: one font for each script, and one for Chinese, Japanese and Korean."""
LEFT_OUT = ("Last Resort", "Noto Sans Italic")
"""Fonts that draw a box for every character, or are slanted."""
MOST_NAMED = 8


def families_for(text: str) -> tuple[list[str], str]:
    """Return the names of the fonts for a text, the usual one first, and the characters that no font has.

    Takes only as many fonts as the text needs, and registers them with matplotlib.
    """
    from matplotlib import font_manager  # noqa: PLC0415 - a second, for pictures only

    chosen, missing = [FIRST], _drawn(text) - _characters(font_manager.findfont(FIRST))
    for file in _files():
        if not missing:
            break
        has = _characters(file) & missing
        if has:
            font_manager.fontManager.addfont(file)
            name = font_manager.FontProperties(fname=file).get_name()
            chosen += [] if name in chosen or name.startswith(LEFT_OUT) else [name]
            missing -= set() if name.startswith(LEFT_OUT) else has
    return chosen, "".join(sorted(missing))


def warning_of(missing: str) -> str:
    """Return a line for people that names the characters drawn as boxes, and the remedy."""
    named = [f"{c} ({unicodedata.name(c, f'U+{ord(c):04X}').lower()})" for c in missing[:MOST_NAMED]]
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return (
        f"No installed font has {', '.join(named)}{more}: the picture shows boxes. `pip install 'ninja-sync[plot]'` "
        "brings fonts for most scripts; others are packages of the system, such as fonts-noto-core and fonts-noto-cjk."
    )


def _drawn(text: str) -> set[str]:
    """Return the visible characters of a text; characters that only join or direct others need no font."""
    return {c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Zs", "Zl", "Zp")}


def _files() -> Iterator[str]:
    """Yield the font files of the packages, then of the system."""
    from matplotlib import font_manager  # noqa: PLC0415 - as above

    for package in PACKAGES:
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            upright = (path for path in Path(folder).iterdir() if path.suffix in (".ttf", ".otf"))
            yield from sorted(str(path) for path in upright if "Italic" not in path.name)
    for font in font_manager.fontManager.ttflist:
        if font.style == "normal" and font.weight in (400, "normal", "regular") and not font.name.startswith(LEFT_OUT):
            yield font.fname


def _characters(file: str) -> set[str]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - as above

    try:
        return {chr(code) for code in FT2Font(file).get_charmap()}
    except (OSError, RuntimeError):  # a damaged file, or not a font
        return set()
