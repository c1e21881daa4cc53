"""Corrections from a spreadsheet: upload a file, see how it was read, and choose the field of each column."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from flows.desk.answers import WORKBOOK, Answer, Download, Page, See, get, post
from flows.desk.pages.clients import not_visible
from flows.desk.pages.corrections_work import Work, check_in_background, work_of
from flows.desk.visit import Form, Visit
from flows.push.columns import FIELD_GROUPS, HINTS, KEY_WORDS, LEFT_OUT, words_for
from flows.push.corrections import Correction, as_text, begin, choose, has_null_words, read_again, wishes_of
from flows.push.plan import check_not_empty
from flows.push.to_correct import clients_to_correct
from flows.push.wishes import SOURCE
from flows.session.progress import Progress, silent
from flows.sheets.csv_text import SEPARATORS
from flows.sheets.recognise import ENCODINGS, MOST_BYTES
from flows.sheets.spreadsheets import Reading
from flows.sheets.workbooks import as_workbook
from schemas.errors import SettingsError

FIRST: Final = 5
"""Rows of the file that are shown before its columns are chosen."""
MOST_FILES: Final = 2
"""Files of one session at once: one of 90,000 rows takes about 75 MB of memory."""
LARGE: Final = 1_000_000
"""Bytes of a file that takes more than a moment to read."""
LONGEST_LINE: Final = 7
"""Digits of the number of a row: a file has fewer than ten million."""


def start(visit: Visit) -> Answer:
    """Show the form for a file, and the files of this session."""
    if (page := not_visible(visit, "Corrections")) is not None:
        return page
    return _start(visit)


def _start(visit: Visit, problem: str = "") -> Page:
    files = visit.session.kept_of(Work)
    values = {
        "problem": problem, "files": files[::-1], "most_files": MOST_FILES, "most": MOST_BYTES // 1_000_000,
        "chosen": visit.source,
    }  # fmt: skip
    return Page("corrections/start.html", values, "Corrections", HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK)


def upload(visit: Visit) -> Answer:
    """Read a file, and go to its columns; show the form again if it is no table. A large one is read in the background.

    The oldest files of the session are forgotten.
    """
    if (page := not_visible(visit, "Corrections")) is not None:
        return page
    file = visit.files.get("file")
    if file is None:
        return _start(visit, "Choose a file first.")
    name, source = file.name.replace("\\", "/").rpartition("/")[2] or "The file", visit.one_source()

    def read(_: Progress = silent) -> str:
        work = Work(begin(visit.settings, source, name, file.content))
        return f"/corrections/{visit.keep(work, most=MOST_FILES)}"

    if len(file.content) > LARGE:
        return visit.start("Read the file", read, str)
    try:
        return See(read())
    except SettingsError as problem:
        return _start(visit, str(problem))


def columns(visit: Visit) -> Answer:
    """Show how the file was read, and the field of each column."""
    return _columns(visit, work_of(visit).correction)


def _columns(visit: Visit, correction: Correction, problem: str = "") -> Page:
    table, how = correction.read.table, correction.read.how
    rows = [
        (
            at,
            column,
            suggestion,
            choice,
            [as_text(row.cells[at]) for row in table.rows[:3] if row.cells[at] is not None],
        )
        for at, (column, suggestion, choice) in enumerate(
            zip(correction.columns, correction.suggested, correction.choices, strict=True)
        )
    ]
    values = {
        "key": visit.path["key"], "name": correction.name, "source": correction.source, "how": how,
        "read": correction.read, "problem": problem,
        "separators": SEPARATORS, "encodings": ENCODINGS, "first": table.rows[:FIRST], "count": len(table.rows),
        "columns": correction.columns, "rows": rows, "groups": _groups(correction), "as_text": as_text,
        "blank_clears": correction.blank_clears, "null_words": how.null_words or _says_null(correction),
    }  # fmt: skip
    return Page(
        "corrections/columns.html", values, "The columns of the file",
        HTTPStatus.BAD_REQUEST if problem else HTTPStatus.OK,
    )  # fmt: skip


def _says_null(correction: Correction) -> bool:
    try:
        return has_null_words(correction)
    except SettingsError:  # the columns cannot be as they are suggested
        return False


def _groups(correction: Correction) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the choices for a column, with their words, in groups."""
    labels = correction.labels
    words = {name: words_for(name, labels) for names in FIELD_GROUPS.values() for name in names}
    words |= {name: f"{words[name]} ({hint})" for name, hint in HINTS.items()}
    return [
        ("Which client the row means", [*KEY_WORDS.items(), (SOURCE, "Company (the name of the source)")]),
        *((group, [(name, words[name]) for name in names]) for group, names in FIELD_GROUPS.items()),
    ]


def read_file(visit: Visit) -> Answer:
    """Read the file again, as the person says."""
    work = work_of(visit)
    try:
        work.correction = read_again(work.correction, _reading(visit.form, work.correction.read.how))
    except SettingsError as problem:
        return _columns(visit, work.correction, str(problem))
    return See(f"/corrections/{visit.path['key']}")


def _reading(form: Form, before: Reading) -> Reading:
    """Return the way to read a file, from its form. On another sheet, the headings are looked for again."""
    line, sheet = form.get("heading_line").strip(), form.get("sheet") or None
    if line and not (line.isdecimal() and len(line) <= LONGEST_LINE):
        raise SettingsError("The line of the headings is a number, such as 1.")
    return Reading(
        form.get("separator") or None, None, form.get("encoding") or None, sheet,
        heading_line=int(line) if line and sheet == before.sheet else None,
    )  # fmt: skip


def choose_columns(visit: Visit) -> Answer:
    """Take the choice for each column, and check the changes in the background."""
    work, form = work_of(visit), visit.form
    choices = [form.get(f"column-{at}", LEFT_OUT) for at in range(len(work.correction.columns))]
    decimal, null_words = form.get("decimal"), form.get("null_words")
    blank_clears = form.get("blanks") == "empty"
    try:
        work.correction = choose(
            work.correction, choices, blank_clears=blank_clears, decimal=decimal if decimal in {",", "."} else None,
            null_words=null_words if null_words in {"text", "blank"} else None,
        )  # fmt: skip
        check_not_empty(wishes_of(work.correction))
    except SettingsError as problem:
        again = replace(work.correction, choices=tuple(choices), blank_clears=blank_clears)
        return _columns(visit, again, str(problem))
    return check_in_background(visit, work)


def clients(visit: Visit) -> Answer:
    """Return the active clients as a workbook, to correct it and upload it."""
    source = visit.one_source()
    if (page := not_visible(visit, "Corrections")) is not None:
        return page
    result = clients_to_correct(visit.settings, source)
    return Download(as_workbook(result.columns, result.rows), "clients.xlsx", WORKBOOK)


def forget(visit: Visit) -> Answer:
    """Forget a file."""
    visit.session.forget(visit.path["key"])
    return See("/corrections")


ROUTES: Final = (
    get("/corrections", start),
    post("/corrections", upload, writes=False),
    get("/corrections/clients.xlsx", clients),
    get("/corrections/{key}", columns),
    post("/corrections/{key}/file", read_file, writes=False),
    post("/corrections/{key}/columns", choose_columns, writes=False),
    post("/corrections/{key}/forget", forget, writes=False),
)
