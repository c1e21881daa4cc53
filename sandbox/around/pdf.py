"""A small PDF of lines of text, in the fonts that every reader has: Helvetica for titles, Courier for tables.

These fonts know the letters of Windows-1252 only: é, ß and € are shown, a letter of another script becomes `?`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pydyf

WIDTH, HEIGHT, MARGIN = 595, 842, 50
"""A4, in points."""
LEADING = 1.45
"""The distance between two lines, as a multiple of the letter size."""
FONTS = {"Text": "Courier", "Title": "Helvetica-Bold"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; an empty one is a gap."""

    text: str
    size: int = 9
    font: str = "Text"


def pdf_of(title: str, lines: Sequence[Line]) -> bytes:
    """A whole PDF file, with as many A4 pages as the lines need. It is not compressed."""
    pdf = pydyf.PDF()
    pdf.info["Title"] = pydyf.String(title)
    fonts = pydyf.Dictionary()
    for name, base in FONTS.items():
        kind = {"Type": "/Font", "Subtype": "/Type1", "BaseFont": f"/{base}", "Encoding": "/WinAnsiEncoding"}
        font = pydyf.Dictionary(kind)
        pdf.add_object(font)
        fonts[name] = font.reference
    for page in _pages(lines):
        content = _content(page)
        pdf.add_object(content)
        leaf = {"Type": "/Page", "Parent": pdf.pages.reference, "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT])}
        leaf |= {"Contents": content.reference, "Resources": pydyf.Dictionary({"Font": fonts})}
        pdf.add_page(pydyf.Dictionary(leaf))
    out = io.BytesIO()
    pdf.write(out)
    return out.getvalue()


def _pages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    page: list[Line] = []
    room = float(HEIGHT - 2 * MARGIN)
    for line in lines:
        if room < line.size * LEADING:
            yield page
            page, room = [], float(HEIGHT - 2 * MARGIN)
        page.append(line)
        room -= line.size * LEADING
    yield page


def _content(lines: Sequence[Line]) -> pydyf.Stream:
    content = pydyf.Stream()
    height = float(HEIGHT - MARGIN)
    content.begin_text()
    for line in lines:
        height -= line.size * LEADING
        content.set_font_size(line.font, line.size)
        content.set_text_matrix(1, 0, 0, 1, MARGIN, round(height, 2))
        content.show_text_string(line.text.encode("cp1252", "replace"))
    content.end_text()
    return content
