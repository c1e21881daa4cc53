"""Errors of merges as pages show them."""

from __future__ import annotations

import re
from typing import Final

from flows.merge.report import in_names
from schemas.errors import SyncError
from schemas.plan import Plan

BUTTONS: Final = (
    (r"`ninja-sync merge resume {plan} --without-rescue`", "the button “Finish without them” below"),
    (r"`ninja-sync merge resume {plan}`", "the button “Go on” below"),
    (r"`ninja-sync merge close {plan}`", "the button “End the plan” below"),
    (r"`ninja-sync merge (?:apply|show)[^`]*`", "this page"),
    (r"`ninja-sync (?:push|merge) resume (\S+)`", r"the button to go on, on the page of \1,"),
    (r"`ninja-sync (?:push|merge) close (\S+)`", r"the button to end it, there,"),
    (r"`ninja-sync journal settle[^`]*`(?:, or `--as not-applied`)?", "the page “Health”"),
    (r"plan with --no-rescue", "plan without saving values"),
)
"""Commands in the texts of errors, and what does the same here; `{plan}` is the plan of the page."""


def for_pages(problem: SyncError, plan: Plan) -> str:
    """Return an error's text with names in place of ids, and buttons in place of commands."""
    text = in_names(problem, plan.steps, ids=False)
    for command, button in BUTTONS:
        text = re.sub(command.replace("{plan}", re.escape(plan.plan_id)), button, text)
    return text
