"""The grid of corrections: each value before and after, edits, the refused rows as a file, and the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from flows.ask.ask import Result
from flows.ask.field_names import field_name
from flows.ask.files import MARK, as_csv
from flows.ask.names import known_names, with_name
from flows.desk.answers import WORKBOOK, Answer, Download, Page, See, get, post
from flows.desk.pages.corrections_work import Work, check_in_background, work_of
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.push.added_columns import add_column, lacked_fields
from flows.push.columns import words_for
from flows.push.corrections import edit, plan_correction, shown
from flows.push.grid import Grid, Line, refused_rows
from flows.push.plan import Planned
from flows.session.door import open_door
from flows.session.progress import Progress
from flows.sheets.workbooks import as_workbook
from flows.show.counted import counted
from schemas.errors import SettingsError

ROWS: Final = 100
"""Rows of a page of the grid."""
_CELL: Final = re.compile(r"c([0-9]{1,9})-([0-9]{1,4})")
"""The name of a field of the grid: a line and a column."""


def changes(visit: Visit) -> Answer:
    """Show the grid: each value before and after, or the reason of a refusal."""
    work = work_of(visit)
    if work.grid is None:
        return See(f"/corrections/{visit.path['key']}")
    return _changes(visit, work, work.grid)


FILTERS: Final[Mapping[str, tuple[str, Callable[[Line | None], bool]]]] = {
    "all": ("All rows", lambda _line: True),
    "changes": ("Rows that change", lambda line: line is not None and line.changes),
    "refused": ("Refused only", lambda line: line is not None and line.is_refused),
    "out": ("Left out", lambda line: line is None),
}


def _changes(visit: Visit, work: Work, grid: Grid) -> Page:
    correction = work.correction
    only = visit.query.get("only", "all")
    only = only if only in FILTERS else "all"
    lines: dict[int, Line] = {line.line: line for line in grid.lines}
    rows = [row for row in correction.read.table.rows if FILTERS[only][1](lines.get(row.line))]
    pages = max(1, -(-len(rows) // ROWS))
    page = min(page_number(visit.query.get("page", "1")), pages)
    names = known_names(visit.settings, correction.source)
    headings = (work.checked or correction).headings
    return Page("corrections/changes.html", {
        "key": visit.path["key"], "name": correction.name, "source": correction.source, "grid": grid,
        "is_checked": work.is_checked, "plan_id": work.plan_id,
        "filters": [(name, words) for name, (words, _) in FILTERS.items()], "only": only, "page": page, "pages": pages,
        "shown": [(row, lines.get(row.line)) for row in rows[(page - 1) * ROWS : page * ROWS]],
        "key_at": headings.key_at, "key_heading": correction.columns[headings.key_at],
        "fields": [
            (at, words_for(field, correction.labels), correction.columns[at]) for at, field in headings.fields.items()
        ],
        "lacked": [
            (field, field_name(field, correction.labels), count)
            for field, count in lacked_fields(grid, correction).items()
        ],
        "text": lambda row, at: shown(correction, row, at), "left_out": correction.left_out,
        "with_name": lambda column, value: None if value is None else with_name(column, value, names),
    }, "Before and after")  # fmt: skip


def keep_edits(visit: Visit) -> Answer:
    """Keep the edits of a page of the grid; then check all of it, or go to another page."""
    work = work_of(visit)
    _edit(visit, work)
    if visit.form.get("go") == "check":
        return check_in_background(visit, work)
    only, page = visit.form.get("only"), visit.form.get("go").removeprefix("page-")
    return See(
        f"/corrections/{visit.path['key']}/changes?only={only if only in FILTERS else 'all'}&page={page_number(page)}"
    )


def _edit(visit: Visit, work: Work) -> None:
    """Take the texts of a page of the grid."""
    texts = {
        (int(match[1]), int(match[2])): text for name, text in visit.form.texts if (match := _CELL.fullmatch(name))
    }
    left_out = {line: f"out-{line}" in visit.form for line in {line for line, _ in texts}}
    work.correction = edit(work.correction, texts, left_out)


def add_lacked_column(visit: Visit) -> Answer:
    """Add a column without which values are refused, and check all of it."""
    work = work_of(visit)
    _edit(visit, work)
    if work.grid is not None:
        work.correction = add_column(visit.settings, work.correction, work.grid, visit.form.get("add"))
    return check_in_background(visit, work)


def make_plan(visit: Visit) -> Answer:
    """Make a plan of the changes; keep the file. If the person has changed something, check and show it first."""
    work = work_of(visit)
    _edit(visit, work)
    if not work.is_checked:
        note = "You have changed values since the last check. They are checked now: look at them, then make the plan."
        return check_in_background(visit, work, note)
    correction, settings, reason, key = (
        work.correction,
        visit.settings,
        visit.form.get("reason").strip(),
        visit.path["key"],
    )

    def planned(progress: Progress) -> Planned:
        with open_door(settings, correction.source) as door:
            return plan_correction(settings, correction, door, reason=reason, progress=progress)

    def then(result: Planned) -> str:
        if result.plan is None:
            visit.note("There is nothing to change any more, so there is no plan.")
            return f"/corrections/{key}/changes"
        if result.refused:
            visit.note(f"{counted(len(result.refused), 'value')} were refused, and are not in the plan.")
        work.plan_id = result.plan.plan_id  # the file stays: for its refused rows, and in case the plan is rejected
        return f"/plans/{result.plan.plan_id}"

    return visit.start("Make a plan", planned, then, once=f"plan {key}", choice=reason)


def refused_csv(visit: Visit) -> Answer:
    """Return the refused rows with their reasons as a CSV that the person's Excel opens."""
    work, result = _refused(visit)
    how = work.correction.read.how
    text = as_csv(result, separator=how.separator or ",", decimal=how.decimal or ".")
    return Download((MARK + text).encode("utf-8"), "refused.csv", "text/csv; charset=utf-8")


def refused_xlsx(visit: Visit) -> Answer:
    """Return the refused rows with their reasons as a workbook."""
    _, result = _refused(visit)
    return Download(as_workbook(result.columns, result.rows), "refused.xlsx", WORKBOOK)


def _refused(visit: Visit) -> tuple[Work, Result]:
    work = work_of(visit)
    if work.grid is None or work.checked is None:
        raise SettingsError("The file is not checked yet: check it first.")
    checked = work.checked
    return work, refused_rows(work.grid, checked.columns, checked.rows, checked.labels)


ROUTES: Final = (
    get("/corrections/{key}/changes", changes),
    post("/corrections/{key}/changes", keep_edits, writes=False),
    post("/corrections/{key}/column", add_lacked_column, writes=False),
    post("/corrections/{key}/plan", make_plan, writes=True),
    get("/corrections/{key}/refused.csv", refused_csv),
    get("/corrections/{key}/refused.xlsx", refused_xlsx),
)
