"""Staged pages: a scan's records in private files, while the warehouse is closed.

A page is one Arrow file for each table. It counts only if the manifest has a line with the digests of its files, so a
torn or edited page is read from the server again. Rows are staged after normalisation, so they hold no secrets.

    <warehouse>.staging/<source>/<entity>/manifest.jsonl    the scan's key, then one line a page; each with its digest
    <warehouse>.staging/<source>/<entity>/000001.contacts.arrow
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.erased import Erased
from schemas.errors import WarehouseError
from schemas.normalise import Batch, Drift, Quarantined
from warehouse.engine.place import Place, staging_of
from warehouse.engine.private import check_ours, make_own_folder, reason

if TYPE_CHECKING:
    import pyarrow as pa


STALE = 3600
"""Seconds after which a scan no longer resumes from staged pages."""


class ScanKey(msgspec.Struct, frozen=True):
    """The values that a scan must share with staged pages to resume from them: company, watermark and row shape."""

    base_url: str
    company_id: str
    company_fingerprint: str
    watermark: int | None
    full: bool
    shape: str


class _Head(msgspec.Struct):
    key: ScanKey
    began: int
    here: int | None = None


class StagedPage(msgspec.Struct):
    """One line of the manifest: the scan's progress, and the records it had set aside by then.

    `open` are the ranges of stamps still to read after this page: from a cursor (None: the first record) up to an
    exclusive end (None: the last record). A resumed scan reads these ranges, with this `skew`.
    """

    open: list[tuple[int | None, int | None]]
    skew: int | None
    newest_seen: int
    records: int
    files: dict[str, str]
    quarantined: list[Quarantined]
    drift: list[Drift]


class Staging(msgspec.Struct):
    """The staged pages of one scan of one entity of a source, in a folder of their own.

    `began` is the server's clock when the scan began, `here` this machine's clock then. `resumed_at` is the arrival
    number of the first record after a resume. `left_out` are the marks of the records of erased clients that this
    process met, in answers or in staged pages.
    """

    folder: Path
    pages: list[StagedPage]
    began: int = 0
    here: int | None = None
    resumed_at: int = 0
    left_out: set[str] = set()

    @classmethod
    def of(cls, place: Place, source: str, entity: Entity = CLIENTS) -> Staging:
        """Return the staging of an entity: beside a DuckDB file, or in this machine's state folder for Postgres."""
        return cls(staging_of(place) / source / entity.name, [])

    @property
    def records(self) -> int:
        """The number of staged records, which is also the next record's arrival number."""
        return sum(page.records for page in self.pages)

    @property
    def quarantined(self) -> list[Quarantined]:
        """The records set aside, each once, unless a later version of the record was valid."""
        return self.pages[-1].quarantined if self.pages else []

    @property
    def drift(self) -> list[Drift]:
        """The new and missing fields of all pages."""
        return self.pages[-1].drift if self.pages else []

    def begin(self, key: ScanKey, began: Clocks) -> None:
        """Remove all staged pages and start a new scan."""
        self._check_folders()
        self.clear()
        make_own_folder(self.folder.parent)
        make_own_folder(self.folder)
        self.pages, self.began, self.here, self.resumed_at = [], began.server, began.here, 0
        with self._disk_errors():
            self._note(_Head(key, began.server, began.here))

    def add(
        self,
        entity: Entity,
        batch: Batch,
        *,
        open: Sequence[tuple[int | None, int | None]],  # noqa: A002 - as the manifest calls it
        newest_seen: int,
        skew: int | None = None,
    ) -> None:
        """Stage a page. Its quarantine replaces the earlier page's, less the records that came valid later."""
        from warehouse.load.arrow_files import arrow_files  # noqa: PLC0415 - pyarrow: an idle pull saves 0.3 s

        files = {}
        for table, content in arrow_files(entity, batch, first_arrival=self.records):
            name = f"{len(self.pages) + 1:06d}.{table}.arrow"
            with self._disk_errors():
                self._write(name, content, os.O_TRUNC)
            files[name] = hashlib.sha256(content).hexdigest()
        aside = {record.id: record for record in self.quarantined}
        ids = batch.ids
        for record_id in ids if aside else ():
            aside.pop(record_id, None)
        aside |= {record.id: record for record in batch.quarantined}
        drift = sorted(batch.drift.union(self.drift))
        page = StagedPage(list(open), skew, newest_seen, len(ids), files, list(aside.values()), drift)
        self.pages.append(page)
        with self._disk_errors():
            self._note(page)

    def resume(self, key: ScanKey, now: Clocks) -> bool:
        """Resume from the complete pages of an interrupted scan with the same key; return False if there are none.

        Pages older than an hour by either clock are read again: they may lack changes that move no stamp. Pages from
        the future of the server's clock are read again too.
        """
        self._check_folders()
        manifest = self._manifest()
        if manifest is None or manifest[0].key != key or not manifest[1] or _is_stale(manifest[0], now):
            return False
        head, self.pages = manifest
        self.began, self.here, self.resumed_at = head.began, head.here, self.records
        kept = {name for page in self.pages for name in page.files}
        with self._disk_errors():
            for path in self.folder.iterdir():
                if path.name not in kept:
                    path.unlink()
            for line in (head, *self.pages):
                self._note(line)
        return True

    def batches(self, table: str, left_out: Collection[int] = ()) -> Iterator[pa.RecordBatch]:
        """Yield the staged batches of one table, page by page, without the rows of the records `left_out`."""
        from warehouse.load.arrow_files import filtered, read_batches  # noqa: PLC0415 - as above

        for page in self.pages:
            for name in page.files:
                if name.endswith(f".{table}.arrow"):
                    read = read_batches(self.folder / name)
                    yield from filtered(read, "arrival", lambda n: n not in left_out) if left_out else read

    def of_erased(self, entity: Entity, erased: Erased) -> set[int]:
        """Return the arrival numbers of the records of erased clients, and add the marks of those to `left_out`."""
        arrivals = set()
        if erased.marks and entity.client_column:
            for batch in self.batches(entity.name):
                columns = [batch.column(name).to_pylist() for name in ("id", entity.client_column, "arrival")]
                for record_id, client_id, arrival in zip(*columns, strict=True):
                    if erased.has(client_id):
                        arrivals.add(arrival)
                        self.left_out.add(erased.mark_of(entity.name, record_id))
        return arrivals

    def clear(self) -> None:
        """Remove all staged pages."""
        with self._disk_errors():
            if self.folder.exists():
                shutil.rmtree(self.folder)
        with suppress(OSError):  # another entity has pages there
            self.folder.parent.rmdir()

    def clear_source(self) -> None:
        """Remove the staged pages of all entities of the source, of earlier versions of Ninja Sync too."""
        with self._disk_errors():
            if self.folder.parent.exists():
                shutil.rmtree(self.folder.parent)

    def _check_folders(self) -> None:
        check_ours(self.folder.parent.parent, self.folder.parent, self.folder)

    def _manifest(self) -> tuple[_Head, list[StagedPage]] | None:
        """Return the head and the pages before the first torn or edited line or file; None if there are none."""
        path = self.folder / "manifest.jsonl"
        if not path.exists():
            return None
        first, *lines = path.read_bytes().split(b"\n")
        pages: list[StagedPage] = []
        try:
            head = msgspec.json.decode(_checked(first), type=_Head)
            for line in lines:
                page = msgspec.json.decode(_checked(line), type=StagedPage)
                if any(not self._is_whole(name, digest) for name, digest in page.files.items()):
                    break
                pages.append(page)
        except msgspec.MsgspecError:
            return (head, pages) if pages else None
        return head, pages

    def _is_whole(self, name: str, digest: str) -> bool:
        path = self.folder / name
        return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest

    def _note(self, line: msgspec.Struct) -> None:
        text = msgspec.json.encode(line)
        self._write("manifest.jsonl", _digest(text) + text + b"\n", os.O_APPEND)

    def _write(self, name: str, content: bytes, how: int) -> None:
        descriptor = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        """Raise WarehouseError with the folder's name for a full or failing disk."""
        try:
            yield
        except OSError as problem:
            raise WarehouseError(f"Pages cannot be staged in {self.folder}: {reason(problem)}.") from None


def _is_stale(head: _Head, now: Clocks) -> bool:
    begun = Clocks(head.began, head.here)
    ages = [
        now.server - head.began,
        *([now.here - head.here] if head.here is not None and now.here is not None else []),
    ]
    return max(ages) > STALE or begun.is_ahead_of(now)


def _digest(text: bytes) -> bytes:
    """Return the prefix of a manifest line. It guards the cursor, as a wrong digit would skip records."""
    return hashlib.sha256(text).hexdigest().encode() + b" "


def _checked(line: bytes) -> bytes:
    """Return the text of a manifest line; if the line is torn or edited, b"", which is not JSON."""
    text = line.partition(b" ")[2]
    return text if line == _digest(text) + text else b""
