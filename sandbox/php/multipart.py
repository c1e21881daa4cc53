"""Forms with files: a multipart/form-data body as PHP reads it into $_POST and $_FILES (RFC 7578)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: its name without any folder, and its bytes. The media type that the sender gives is ignored."""

    name: str
    content: bytes


def parts(body: bytes, content_type: str) -> Iterator[tuple[str, str | Upload]]:
    """The fields and files of a form in their order, by name; empty without a boundary.

    A file input that was left empty (`filename=""`) is neither file nor field.
    """
    boundary = _parameter(_headers(f"content-disposition: {content_type}"), "boundary")
    if not boundary:
        return
    _, *chunks = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    for chunk in chunks:
        if chunk.startswith(b"--"):
            return
        head, _, content = chunk.partition(b"\r\n\r\n")
        headers = _headers(head.decode("utf-8", "replace").lstrip())
        name, file = _parameter(headers, "name"), _parameter(headers, "filename")
        if name and file is None:
            yield name, content.decode("utf-8", "replace")
        elif name and file:
            yield name, Upload(file.replace("\\", "/").rpartition("/")[2], content)


def _headers(text: str) -> Message:
    return HeaderParser().parsestr(text)


def _parameter(headers: Message, name: str) -> str | None:
    value = headers.get_param(name, header="content-disposition")
    return value if isinstance(value, str) else None
