"""The kind of a file by its bytes, not its name: the endings that the server may give a document.

The server asks libmagic for the kind and Symfony for its ending. This module has the part of both that separates the
accepted kinds from each other and from similar ones; any other kind has no ending here (checked with `file` 5.44).
"""

from __future__ import annotations

import json
import re
import struct

ACCEPTED = (
    "png", "ai", "jpeg", "tiff", "pdf", "gif", "psd", "txt", "doc", "xls", "ppt", "xlsx", "docx", "pptx", "webp", "xml",
    "zip", "csv", "ods", "odt", "odp",
)  # fmt: skip
"""In 5.10's order (recorded)."""
ACCEPTED_LATER = (*ACCEPTED, "txt")
"""The same for 5.12, where one ending occurs twice (recorded)."""
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"), (b"%PDF-", "pdf"), (b"8BPS", "psd"),
    (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"%!", "ai"), (b"<?xml", "xml"),
)  # fmt: skip
_REFUSED_TEXTS = re.compile(rb"\s*(#!|<\?php|\{\\rtf|<svg|<html|<head|<body|<!doctype html)", re.IGNORECASE)
_OPEN_DOCUMENT = {b"text": "odt", b"spreadsheet": "ods", b"presentation": "odp"}
_OFFICE_FOLDERS = {b"word/": "docx", b"xl/": "xlsx", b"ppt/": "pptx"}
_OLD_OFFICE = {"WordDocument": "doc", "Workbook": "xls", "PowerPoint Document": "ppt"}
_CONTROL = re.compile(rb"[\x00-\x06\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_CSV_LINES = 10
_SHORTEST = 2


def kind_of(content: bytes) -> str | None:
    """The ending of an accepted kind, as the server stores it (`jpg`, `txt`); None for any other kind.

    A file of one byte or none has no kind (recorded).
    """
    if len(content) < _SHORTEST:
        return None
    for start, ending in _STARTS:
        if content.startswith(start):
            return ending
    if content.startswith(b"PK\x03\x04"):
        return _zip_kind(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return next((kind for name, kind in _OLD_OFFICE.items() if name.encode("utf-16-le") in content), None)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    return _text_kind(content)


def _zip_kind(content: bytes) -> str:
    """Open documents name themselves in their first entry; Office's have their own folder."""
    named = re.match(rb"mimetypeapplication/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)", content[30:])
    if named:
        return _OPEN_DOCUMENT[named[1]]
    if b"[Content_Types].xml" in content[:2000] or b"_rels/.rels" in content[:2000]:
        return next((kind for folder, kind in _OFFICE_FOLDERS.items() if folder in content), "zip")
    return "zip"


def _text_kind(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "txt"  # UTF-16
    if _CONTROL.search(content) or _REFUSED_TEXTS.match(content) or _is_json(content):
        return None
    return "csv" if _is_csv(content) else "txt"


def _is_json(content: bytes) -> bool:
    if content.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(content)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True


def _is_csv(content: bytes) -> bool:
    """Three whole lines or more, each with as many commas outside quotes; libmagic looks at the first ten."""
    lines = re.sub(rb'"[^"]*"', b"", content).split(b"\n")[:-1][:_CSV_LINES]
    counts = {line.count(b",") for line in lines}
    return len(lines) > 2 and len(counts) == 1 and counts != {0}  # noqa: PLR2004 - as above


def pixels(content: bytes) -> tuple[int, int]:
    """Width and height of a picture (png, gif, psd, jpeg); 0 and 0 for anything else."""
    if content.startswith(b"\x89PNG") and len(content) >= 24:  # noqa: PLR2004 - up to the end of its height
        return _pair(">II", content, 16)
    if content.startswith(b"GIF8") and len(content) >= 10:  # noqa: PLR2004
        return _pair("<HH", content, 6)
    if content.startswith(b"8BPS") and len(content) >= 22:  # noqa: PLR2004
        return _pair(">II", content, 14)[::-1]
    return _jpeg_pixels(content) if content.startswith(b"\xff\xd8") else (0, 0)


def _pair(form: str, content: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, content, at)
    return int(first), int(second)


def _jpeg_pixels(content: bytes) -> tuple[int, int]:
    """Size from the frame header, found by adding up the lengths of the segments."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - a marker
        if 0xC0 <= content[at + 1] <= 0xC3:  # noqa: PLR2004 - the usual frames
            return _pair(">HH", content, at + 5)[::-1]
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return (0, 0)
