"""The tools of every verb in `connector.clients`: a door, a journal for writes, a password where one is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from connector.door.answer import Answer
from connector.door.door import Door
from connector.door.password import Password, no_password
from schemas.errors import ApiError, DataError, OutcomeUnknown, PasswordRequired, Rejected, SyncError, sentence
from schemas.journal import Call, Journal, Outcome

Outcomes = Sequence[tuple[str, Outcome]]


@dataclass(frozen=True, slots=True)
class Api:
    """An Invoice Ninja server as one token sees it. `flows.session.api.open_api` makes one from the settings."""

    door: Door
    journal: Journal
    password: Password = field(default_factory=lambda: Password(no_password), repr=False)
    plan_id: str | None = None


def perform(
    api: Api, call: Call, send: Callable[[], Answer], read_back: Callable[[Answer | None], Outcomes]
) -> Outcomes:
    """Send one call that writes: recorded before, read back, and its outcomes recorded. Every write takes this road.

    Calls `send` once; the door decides whether to repeat the request. `read_back` gets the answer (None where no
    complete one came) and asks the server about each client: a 200 alone is no proof.
    Raises `Rejected` where the server refused (it changed nothing). Where no complete answer came and the server has
    done nothing, raises the original error. Raises `OutcomeUnknown` where the server cannot be asked now: the call then
    stays open in the journal until `ninja-sync journal settle` settles it.
    """
    call_id, waited = api.journal.intend(call), False
    try:
        answer, problem = _sent(api, call_id, call, send)
        outcomes = _asked(call_id, call, lambda: read_back(answer), problem)
        waited = True
        _check_known(call_id, call, outcomes, problem)
        api.journal.settle(call_id, outcomes, str(problem or ""))
    except Rejected:
        raise  # already recorded as refused
    except BaseException:
        api.journal.leave(call_id, waited=waited)
        raise
    if problem is not None and all(outcome is Outcome.NOT_APPLIED for _, outcome in outcomes):
        raise _not_done(problem)
    return outcomes


def _sent(
    api: Api, call_id: str, call: Call, send: Callable[[], Answer]
) -> tuple[Answer | None, ApiError | DataError | None]:
    """The answer, or the error where no complete one came. A refusal is recorded and raised."""
    try:
        return send(), None
    except Rejected as refusal:
        if isinstance(refusal, PasswordRequired):
            api.password.drop()
        api.journal.settle(call_id, [(edit.client_id, Outcome.REFUSED) for edit in call.edits], str(refusal))
        raise
    except (ApiError, DataError) as cut:
        return None, cut


def _not_done(problem: ApiError | DataError) -> ApiError | DataError:
    text = f"{sentence(problem)} The server was asked: it has changed nothing, so the same can be done again."
    return type(problem)(text, status=problem.status) if isinstance(problem, ApiError) else type(problem)(text)


def _asked(call_id: str, call: Call, read: Callable[[], Outcomes], problem: SyncError | None) -> Outcomes:
    try:
        return read()
    except (ApiError, DataError) as unread:
        raise unknown(call_id, call.verb, problem or unread) from None


def _check_known(call_id: str, call: Call, outcomes: Outcomes, problem: SyncError | None) -> None:
    if any(outcome is Outcome.UNKNOWN for _, outcome in outcomes):
        raise unknown(call_id, call.verb, problem)


def unknown(call_id: str, verb: str, problem: SyncError | None) -> OutcomeUnknown:
    """The error for a call with an unknown outcome; the call stays open in the journal."""
    return OutcomeUnknown(
        f"It is not known whether the server has done it ({verb}, call {call_id}): "
        f"{sentence(problem) if problem else 'its records do not show it.'} Nothing more is sent until that is known; "
        "`ninja-sync journal settle` asks the server."
    )


def compared(ids: Iterable[tuple[str, bool | None]]) -> list[tuple[str, Outcome]]:
    """Outcomes by client: True means as wanted, False unchanged, None something else."""
    outcomes = {True: Outcome.APPLIED, False: Outcome.NOT_APPLIED, None: Outcome.CONFLICT}
    return [(client_id, outcomes[as_wanted]) for client_id, as_wanted in ids]
