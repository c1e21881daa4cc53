"""Resume the flow run that waits for a person's word on its plan; importing this does not import Prefect."""

from __future__ import annotations

from schemas.errors import SettingsError
from schemas.extras import needs


def resume_waiting(run: str | None, said: str) -> None:
    """Resume the flow run that asked about a plan: it applies an approved plan, and ends with a rejected one.

    `said` is what the person has said, `approved` or `rejected`. Raises SettingsError with it if nobody asked, or if
    Prefect cannot resume the run: the plan stays approved or rejected.
    """
    if run is None:
        then = "apply it by its digest" if said == "approved" else "there is nothing to resume"
        raise SettingsError(f"The plan is {said}. No flow run waits for it: {then}.")
    try:
        with needs("prefect"):
            from flows.scheduled.server import resume  # noqa: PLC0415 - Prefect takes seconds to import
        resume(run)
    except SettingsError as problem:
        raise SettingsError(f"The plan is {said}, but its run was not resumed. {problem}") from None
