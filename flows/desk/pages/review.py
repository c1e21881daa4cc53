"""The review of duplicates: one group at a time, its clients side by side, decided with a button or a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.ask.ask import reading
from flows.dedupe.decide import MEANWHILE, decide_group
from flows.dedupe.explain import hard_reasons, in_words, shown
from flows.dedupe.groups import ORDERS, UNCERTAIN, group_named, page_of_groups
from flows.dedupe.one_group import OneGroup, read_group
from flows.dedupe.review import Line
from flows.dedupe.rules import load_rules
from flows.dedupe.side_by_side import DECIDED, MARKS, in_order, label_of, letter_of, mark_of
from flows.dedupe.walk import Stop, Walk, walk_of
from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.strength_bars import bars
from flows.desk.visit import Visit
from schemas.errors import SettingsError
from warehouse.control.dedupe import SAME_AS, FoundPair

MOST_PAIRS: Final = 10
"""The pairs of one group whose reasons are shown; the most probable ones."""
SHARED: Final = {"decided": DECIDED, "marks": MARKS, "shown": shown, "in_words": in_words}


@dataclass
class Review:
    """A walk through groups, and what to say on its next page."""

    walk: Walk
    said: str = ""

    def take_said(self) -> str:
        """Return what to say, once."""
        said, self.said = self.said, ""
        return said


def begin(visit: Visit) -> Answer:
    """Begin a review of everything that is to decide, in the order of the list."""
    by = visit.form.get("by")
    with reading(visit.settings, newest=True) as warehouse:
        walk = walk_of(warehouse, visit.one_source(), by=by if by in ORDERS else UNCERTAIN)
    if not walk.stops:
        visit.note("Every group is decided.")
        return See("/duplicates")
    return See(_address(visit.keep(Review(walk)), 1))


def one(visit: Visit) -> Answer:
    """Show one group of the list alone."""
    name = visit.one_source()
    with reading(visit.settings, newest=True) as warehouse:
        ids = group_named(warehouse, name, visit.path["group"])
    walk = Walk(name, [Stop(ids, "," in visit.path["group"])])
    return See(_address(visit.keep(Review(walk)), 1))


def show(visit: Visit) -> Answer:
    """Show one group of a review."""
    review, place = _where(visit)
    walk, stop = review.walk, review.walk.stops[place]
    with reading(visit.settings, newest=True) as warehouse:
        group = read_group(warehouse, walk.source, stop.ids, rules=load_rules().survivor)
    values = {
        "key": visit.path["key"], "place": place + 1, "of_all": len(walk.stops), "stop": stop, "group": group,
        "said": review.take_said(), "may_undo": bool(walk.made), **SHARED,
    }  # fmt: skip
    if group is not None:
        values |= _side_by_side(group)
    return Page("duplicates/group.html", values, f"Review duplicates: {place + 1:,} of {len(walk.stops):,}")


def decide(visit: Visit) -> Answer:
    """Note a decision, and go to the next group. If a colleague has decided meanwhile, show the group again."""
    review, place = _where(visit)
    walk, key = review.walk, visit.path["key"]
    decision, kept = visit.form.get("decision"), visit.form.get("kept")
    chosen = decision == SAME_AS and kept != visit.form.get("proposed")
    noted = decide_group(
        visit.settings, walk.source, walk.stops[place].ids, decision,
        kept=kept if chosen else "", seen=visit.form.get("seen"), reason="reviewed",
    )  # fmt: skip
    if noted is None:
        review.said = MEANWHILE
        return See(_address(key, place + 1))
    walk.note(place, noted)
    return See(_address(key, place + 2 if place + 1 < len(walk.stops) else "end"))


def undo(visit: Visit) -> Answer:
    """Take back the last decision of this review, and go to its group."""
    review = _review(visit)
    place = review.walk.take_back_last(visit.settings)
    review.said = "There is no decision to undo." if place is None else "Your decision is taken back."
    return See(_address(visit.path["key"], "end" if place is None else place + 1))


def end(visit: Visit) -> Answer:
    """Show what a review has come to, and the next step."""
    review = _review(visit)
    with reading(visit.settings, newest=True) as warehouse:
        found = page_of_groups(warehouse, review.walk.source, groups=(0, 0))
    values = {
        "key": visit.path["key"], "walk": review.walk, "found": found, "said": review.take_said(), **SHARED,
    }  # fmt: skip
    return Page("duplicates/end.html", values, "The end of the review")


def _side_by_side(group: OneGroup) -> dict[str, Any]:
    """Return the values of a group's page: its clients in order, its lines in that order, and its weighed pairs."""
    case, ids = group.case, in_order(group.case)
    places = [case.ids.index(client_id) for client_id in ids]

    def ordered(line: Line) -> list[object]:
        return [line.values[at] for at in places]

    currency = next((ordered(line) for line in case.lines if line.name == "currency_code"), [None] * len(ids))
    pairs = [_pair(group, pair, ids) for pair in case.pairs[:MOST_PAIRS]]
    return {
        "ids": ids, "letters": [letter_of(ids, client_id) for client_id in ids], "currencies": currency,
        "lines": [(line.name, label_of(line), mark_of(line), ordered(line)) for line in case.lines],
        "pairs": pairs, "of_pairs": len(case.pairs),
        "said_before": [(said, sorted(_letters(pair, ids) for pair in said.pairs)) for said in group.said],
    }  # fmt: skip


def _pair(group: OneGroup, pair: FoundPair, ids: Sequence[str]) -> dict[str, Any]:
    weighed = group.weighed.get((pair.id_a, pair.id_b))
    return {
        "found": pair, "hard": hard_reasons(pair.against) if pair.in_conflict else [], "weighed": weighed,
        "letters": _letters((pair.id_a, pair.id_b), ids), "bars": bars(weighed) if weighed else (),
    }  # fmt: skip


def _letters(pair: tuple[str, str], ids: Sequence[str]) -> list[str]:
    return [letter_of(ids, client_id) for client_id in sorted(pair, key=ids.index)]


def _review(visit: Visit) -> Review:
    return visit.kept(visit.path["key"], Review)


def _where(visit: Visit) -> tuple[Review, int]:
    """Return the review, and the place in it, from 0 on."""
    review, text = _review(visit), visit.path["place"]
    place = page_number(text)
    if str(place) != text or place > len(review.walk.stops):
        raise SettingsError("This review has no such group.")
    return review, place - 1


def _address(key: str, place: int | str) -> str:
    return f"/duplicates/review/{key}/{place}"


ROUTES: Final = (
    post("/duplicates/review", begin, writes=False),
    get("/duplicates/group/{group}", one),
    get("/duplicates/review/{key}/end", end),
    post("/duplicates/review/{key}/undo", undo, writes=True),
    get("/duplicates/review/{key}/{place}", show),
    post("/duplicates/review/{key}/{place}", decide, writes=True),
)
