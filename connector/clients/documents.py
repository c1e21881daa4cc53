"""The documents of a client: data about the files, not the files."""

from __future__ import annotations

from collections.abc import Iterator

from connector.api.api import Api
from connector.clients.listing import BY_ID, check_page_size
from connector.scan.pages import read_page
from connector.scan.progress import Progress
from schemas.client import Document, document_of
from schemas.errors import PagesMoved


def documents(api: Api, client_id: str, *, page_size: int = 100) -> Iterator[Document]:
    """The documents of a client, each once, page by page. It only reads, although the server wants a POST.

    A user who is not an administrator gets only their own (5.10). Raises NotFound where there is no such client,
    NotAuthorised where this token may not see it, PagesMoved where documents came or went meanwhile.
    """
    return _every_one(api, client_id, check_page_size(page_size))


def _every_one(api: Api, client_id: str, size: int) -> Iterator[Document]:
    seen: set[str] = set()
    number, progress = 1, Progress()
    while True:
        asked: dict[str, str | int] = {"sort": BY_ID, "per_page": size, "page": number}
        answer = api.door.post(f"/clients/{client_id}/documents", params=asked, repeatable=True)
        page = read_page(answer.body, answer.date, answer.version)
        progress.check([page])
        for document in map(document_of, page.records):
            if document.id not in seen:
                seen.add(document.id)
                yield document
        if len(page.records) < page.per_page:
            break
        number += 1
    if page.total is not None and len(seen) < page.total:
        raise PagesMoved("Documents of this client came or went while they were read, and some are missing: try again.")
