"""The Prefect server: find its address, and resume its flow runs."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import FlowPauseTimeout, NotPausedError, ObjectNotFound, PrefectHTTPStatusError
from prefect.flow_runs import resume_flow_run
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings

from schemas.errors import SettingsError


def resume(run: str) -> None:
    """Resume a suspended flow run. Raises SettingsError with the reason if it cannot go on."""
    with temporary_settings({PREFECT_API_URL: api_url()}):
        try:
            resume_flow_run(UUID(run))
        except NotPausedError:
            raise SettingsError(f"The flow run {run} is not waiting: it is running already, or has ended.") from None
        except (ObjectNotFound, ValueError):
            raise SettingsError(f"This Prefect server has no flow run {run}: is PREFECT_API_URL right?") from None
        except FlowPauseTimeout:
            raise SettingsError(
                f"The flow run {run} has waited too long and cannot be resumed: run the flow again."
            ) from None
        except PrefectHTTPStatusError as refusal:
            raise refused(refusal.response.status_code) from None


def api_url() -> str:
    """Return the address of Prefect's API: PREFECT_API_URL, or a server on this machine. Raises SettingsError if none.

    Without an address, Prefect would start a temporary server, which runs no schedules.
    """
    here = get_current_settings().server.api
    url = PREFECT_API_URL.value() or f"http://{here.host}:{here.port}/api"
    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
        get_client(sync_client=True) as client,
    ):
        problem = client.api_healthcheck()
    if problem is None:
        return url
    advice = (
        "is it running, and is PREFECT_API_URL its address?"
        if PREFECT_API_URL.value()
        else "start one with `prefect server start`, or set PREFECT_API_URL to the address of yours."
    )
    raise SettingsError(f"No Prefect server answers at {url} ({type(problem).__name__}): {advice}")


def refused(status: int) -> SettingsError:
    """Return the error for a status with which the server refused a request."""
    if status in {401, 403}:
        return SettingsError("The Prefect server refused access: set PREFECT_API_AUTH_STRING (or PREFECT_API_KEY).")
    return SettingsError(
        f"The Prefect server refused the request ({status}). Are client and server of the same version?"
    )
