"""Fonts for a text in any script: those that come with the extra `plot`, then those of the system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

FIRST = "DejaVu Sans"
PACKAGES = ("manimgx_fonts", "noto_cjk_sans_jp_regular")
"""Noto's fonts: a script each, and one for Chinese, Japanese and Korean."""
LEFT_OUT = ("Last Resort", "Noto Sans Italic")
"""Fonts that have a box for each character, or are slanted."""
MOST_NAMED = 8


def families_for(text: str) -> tuple[list[str], str]:
    """Names of the fonts in which matplotlib draws a text, the usual one first; and the characters that none has.

    Only as many fonts are taken as the text needs. They are registered with matplotlib.
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
    """A line for people that names characters which are drawn as boxes, and says what to do."""
    named = [f"{one} ({unicodedata.name(one, f'U+{ord(one):04X}').lower()})" for one in missing[:MOST_NAMED]]
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return (
        f"No installed font has {', '.join(named)}{more}: the picture shows boxes. `pip install 'ninja-sync[plot]'` "
        "brings fonts for most scripts; others are packages of the system, such as fonts-noto-core and fonts-noto-cjk."
    )


def _drawn(text: str) -> set[str]:
    """The characters of a text that leave a mark; marks that only join or direct others need no font."""
    return {one for one in text if unicodedata.category(one) not in ("Cc", "Cf", "Zs", "Zl", "Zp")}


def _files() -> Iterator[str]:
    """The files of fonts: of the packages, then of the system."""
    from matplotlib import font_manager  # noqa: PLC0415 - as above

    for package in PACKAGES:
        found = find_spec(package)
        for folder in (found.submodule_search_locations or []) if found else []:
            upright = (path for path in Path(folder).iterdir() if path.suffix in (".ttf", ".otf"))
            yield from sorted(str(path) for path in upright if "Italic" not in path.name)
    for font in font_manager.fontManager.ttflist:
        if font.style == "normal" and font.weight in (400, "normal", "regular") and not font.name.startswith(LEFT_OUT):
            yield font.fname


def _characters(file: str) -> set[str]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - as above

    try:
        return {chr(code) for code in FT2Font(file).get_charmap()}
    except (OSError, RuntimeError):  # a file of the system that is none, or is damaged
        return set()
