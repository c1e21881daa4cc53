"""Statements that the server mails: to those whom a person was asked about, and to nobody twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.api.api import Api
from flows.ask.debtors import NOT_AGAIN, mailed_since
from flows.desk.answers import Answer, Page, get, post
from flows.desk.pages.statement_runs import Choice, Result, begin, debtors_of
from flows.desk.visit import Visit
from flows.session.clock import SYSTEM_CLOCK
from flows.session.progress import Progress
from flows.show.counted import counted
from flows.statements.fetch import Drawn
from flows.statements.run import mail, still_owing, with_address

MOST_ASKED: Final = 10
"""Questions of one person, before mails, that can be answered."""


@dataclass(frozen=True)
class Asked:
    """The clients whose mails a person was asked to confirm, of one list. Nobody else is mailed."""

    key: str
    ids: Sequence[str]


def confirm_mail(visit: Visit, problem: str = "") -> Answer:
    """Ask for the number of mails before they are sent. A pull may have found debtors who were not on the list."""
    choice = visit.kept(visit.path["key"], Choice)
    debtors = debtors_of(visit, choice)
    to_mail = debtors.to_mail(choice.left_out)
    ids = [key for key in to_mail if key in choice.shown]
    values = {
        "key": visit.path["key"], "number": len(ids), "problem": problem, "choice": choice,
        "asked": visit.keep(Asked(visit.path["key"], ids), most=MOST_ASKED), "unseen": len(to_mail) - len(ids),
        "period": choice.period, "without": len(debtors.without_address), "hours": NOT_AGAIN.total_seconds() // 3600,
        "left_out": len(choice.left_out & set(debtors.with_address)),
        "mailed": len(set(debtors.mailed) & set(debtors.with_address)),
    }  # fmt: skip
    return Page("statements/mail.html", values, "Mail statements")


def send(visit: Visit) -> Answer:
    """Have the server mail the statements that the person was asked about, if the number that was typed is theirs.

    Who was mailed meanwhile, or owes less by the server, gets none.
    """
    choice, asked = visit.kept(visit.path["key"], Choice), visit.kept(visit.form.get("asked"), Asked)
    number = len(asked.ids)
    theirs = asked.key == visit.path["key"] and not choice.left_out.intersection(asked.ids)
    if not theirs or visit.form.get("number").strip() != str(number):
        return confirm_mail(visit, "Type the number of mails to send them.")
    if not set(asked.ids) - _mailed(visit, choice).keys():
        return confirm_mail(visit)

    def work(api: Api, progress: Progress) -> Result:
        mailed = _mailed(visit, choice)  # others may have mailed some
        already = [Drawn(key, "", problem="it was mailed meanwhile") for key in asked.ids if key in mailed]
        wanted, left = still_owing(api, [key for key in asked.ids if key not in mailed], choice.least)
        reached, others = with_address(wanted)
        return Result(mail(api, reached, [*already, *left, *others], choice.period, progress=progress))

    return begin(visit, choice, f"Mail {counted(number, 'statement')}", work, once="mail")


def _mailed(visit: Visit, choice: Choice) -> Mapping[str, datetime]:
    """Return who was mailed so recently that there is no second mail. Raises Busy if that is not certain."""
    return mailed_since(visit.settings, choice.source, SYSTEM_CLOCK.now() - NOT_AGAIN, certain=True)


ROUTES: Final = (
    get("/statements/{key}/mail", confirm_mail),
    post("/statements/{key}/mail", send, writes=True),
)
