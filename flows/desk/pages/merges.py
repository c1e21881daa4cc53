"""The pages of plans of merges: their list, and the form that makes one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.visit import Form, Visit
from flows.merge.pairs import with_ids
from flows.merge.plan import PlannedMerges, plan_merges
from flows.merge.stored import list_merge_plans
from flows.session.clock import SYSTEM_CLOCK
from flows.session.door import open_door
from flows.session.progress import Progress
from schemas.errors import SyncError
from schemas.merge_plan import ALLOWABLE
from warehouse.control.plans import APPLIED, APPLYING, PLANNED

AT_ONCE: Final = 25
"""Plans on one page."""
ADVICE: Final[Mapping[str, str]] = {
    "currency": "If they are one client, tick “different currencies” and plan again. Look at the sums then.",
    "tax": "If they are one client, tick “different tax or register numbers” and plan again.",
    "country": "If they are one client, tick “different countries” and plan again.",
    "inactive": "Restore the client kept in Invoice Ninja, or choose the other one to keep; or allow it.",
}
OTHER: Final = "Look at both clients in Invoice Ninja, and plan again."


Refused = tuple[str, str, str, Sequence[str]]
"""A merge that was refused: the client kept, the other one, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Made:
    """The result of the form that plans merges, or the problem; and the form as it was sent.

    A plan made again has also what was left out of the one before: `left_out` are pairs of the client kept and the
    other one, `before` are the refused merges.
    """

    form: Form = field(default=Form(), repr=False)
    planned: PlannedMerges | None = None
    problem: str = field(default="", repr=False)
    left_out: Sequence[tuple[str, str]] = field(default=(), repr=False)
    before: Sequence[Refused] = field(default=(), repr=False)

    @property
    def refused(self) -> Sequence[Refused]:
        """The merges that were refused, now or for the plan before."""
        return [
            *self.before,
            *((
                _bare(refusal.survivor, refusal.survivor_id), _bare(refusal.mergeable, refusal.mergeable_id),
                re.sub(r" \(--allow [a-z, ]+\)$", "", refusal.reason),
                [ADVICE[name] for name in refusal.differences] or [OTHER],
            )
            for refusal in (self.planned.refused if self.planned else ())),
        ]  # fmt: skip

    @property
    def notes(self) -> Sequence[str]:
        """The notes on the plan as a whole; those on one merge are shown with it."""
        if self.planned is None:
            return []
        steps = self.planned.plan.steps if self.planned.plan else []
        of_merges = {remark for step in steps for remark in step.remarks}
        return [note for note in self.planned.notes if note not in of_merges]


def plans(visit: Visit) -> Answer:
    """Show the plans of merges, the newest first."""
    page = page_number(visit.query.get("page", "1"))
    found, of_all = list_merge_plans(visit.settings, visit.source, top=AT_ONCE, first=(page - 1) * AT_ONCE)
    now = SYSTEM_CLOCK.now()
    rows = [{**row, **_standing(row, now)} for row in found.records()]
    values = {"plans": rows, "page": page, "pages": -(-of_all // AT_ONCE), "of_all": of_all}
    return Page("merges/list.html", values, "Merges")


def _standing(row: Mapping[str, object], now: object) -> dict[str, str]:
    """Return the state of a plan in words, the colour of its badge, and the next step."""
    state, expires = str(row["state"]), row["expires_at"]
    if state == PLANNED and expires < now:  # type: ignore[operator]  # two moments
        return {"word": "expired", "kind": "", "next": "Plan again"}
    if state == PLANNED:
        return {"word": "waits", "kind": "look", "next": "Look at it, and merge"}
    if state == APPLYING:
        return {"word": "stopped or under way", "kind": "bad", "next": "Go on, or end it"}
    if state == APPLIED:
        return {"word": "done", "kind": "good", "next": ""}
    return {"word": state, "kind": "", "next": ""}


def form(visit: Visit) -> Answer:
    """Show the form that plans merges; after it was sent without a plan, with what was wrong."""
    made = visit.kept(visit.query["made"], Made) if "made" in visit.query else Made()
    return _form(visit, made)


def _form(visit: Visit, made: Made, status: int = 200) -> Answer:
    from flows.dedupe.plan import decided_groups  # noqa: PLC0415 - an extra
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - as above

    source = visit.one_source()
    rules = load_rules()
    sent = bool(made.form.texts)
    ticked = set(made.form.getlist("allow")) if sent else set(rules.allow)
    values = {
        "source": source, "groups": decided_groups(visit.settings, source), "made": made, "ticked": ticked,
        "rescue": "rescue" in made.form if sent else True,
        "public_notes": "public_notes" in made.form if sent else rules.public_notes,
        "of": made.form.get("of", "groups"), "kept": made.form.get("kept"), "merged": made.form.get("merged"),
    }  # fmt: skip
    return Page("merges/plan.html", values, "Plan merges", status)


def make(visit: Visit) -> Answer:
    """Make a plan from the form, in the background: it asks the server about each client."""
    from flows.dedupe.plan import decided_groups  # noqa: PLC0415 - an extra

    source, sent = visit.one_source(), visit.form
    if "of" not in sent:  # a button elsewhere: the choices come first
        return See("/merges/plan")
    if sent.get("of") != "pair" and not decided_groups(visit.settings, source):
        why = "No group is decided to be duplicates, or all are merged already. Decide on the duplicates first."
        return _form(visit, Made(sent, problem=why), 422)
    if sent.get("of") == "pair" and not (sent.get("kept").strip() and sent.get("merged").strip()):
        return _form(visit, Made(sent, problem="Enter the numbers of both clients."), 422)

    def work(progress: Progress) -> Made:
        progress("Reading the clients from the server", 0, None)
        try:
            return Made(sent, _planned(visit, source, sent))
        except SyncError as problem:  # the form is shown again, with it
            return Made(sent, problem=str(problem))

    return visit.start("Planning merges", work, lambda made: made_page(visit, made))


def made_page(visit: Visit, made: Made) -> str:
    """Return the page of a plan that was made, else the form's; with what was refused."""
    plan = made.planned.plan if made.planned else None
    if plan is not None and not made.refused and not made.notes and not made.left_out:
        return f"/merges/{plan.plan_id}"
    return f"/merges/{plan.plan_id if plan else 'plan'}?made={visit.keep(made)}"


def _planned(visit: Visit, source: str, sent: Form) -> PlannedMerges:
    from flows.dedupe.plan import plan_clusters  # noqa: PLC0415 - an extra
    from flows.dedupe.rules import load_rules  # noqa: PLC0415 - as above

    settings = visit.settings
    allowed = frozenset(sent.getlist("allow")) & set(ALLOWABLE)
    rescue, public_notes = "rescue" in sent, "public_notes" in sent
    with open_door(settings, source) as door:
        if sent.get("of") == "pair":
            pairs = with_ids(door, [(sent.get("kept").strip(), sent.get("merged").strip())])
            return plan_merges(
                settings, source, door, pairs, allowed=allowed, rescue=rescue, public_notes=public_notes,
                reason="a pair named at the desk",
            )  # fmt: skip
        return plan_clusters(
            settings, source, door, load_rules(), allowed=allowed, rescue=rescue, public_notes=public_notes
        )


def _bare(label: str, client_id: str) -> str:
    """Return a client's label without its id."""
    return label.removesuffix(f" ({client_id})") or label


ROUTES: Final = (
    get("/merges", plans),
    get("/merges/plan", form),
    post("/merges/plan", make, writes=True),
)
