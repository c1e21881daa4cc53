"""Have a webhook (Slack, Mattermost, your own) told what needs a person. Run once, with PREFECT_API_URL set.

    python docs/examples/notifications.py https://hooks.example.com/services/...

A plan that waits comes with its figures, its digest and the command that approves it. Messages hold names of sources,
counts and errors in Ninja Sync's own words: no secret, no person's data.
"""

import sys
from datetime import timedelta

from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture

OURS = {
    f"ninja-sync.{name}" for name in ("source.failed", "source.unread", "brake.held", "merges.found", "plan.waiting")
}
RUNS = {f"prefect.flow-run.{name}" for name in ("Failed", "Crashed", "TimedOut")}


def main(url: str) -> None:
    """Keep the webhook as a block, and make the automations that use it."""
    webhook = CustomWebhookNotificationBlock(name="ninja-sync", url=url, json_data={"text": "{{subject}}: {{body}}"})
    block_id = webhook.save("ninja-sync-notifications", overwrite=True)

    def tell(subject: str, body: str) -> SendNotification:
        return SendNotification(block_document_id=block_id, subject=subject, body=body)

    Automation(
        name="ninja-sync: a source needs somebody",
        trigger=EventTrigger(
            expect=OURS, match={"prefect.resource.id": "ninja-sync.source.*"}, posture=Posture.Reactive, threshold=1
        ),
        actions=[tell("{{ event.event }}", "{{ event.payload.source }}: {{ event.payload.message }}")],
    ).create()
    Automation(
        name="ninja-sync: a run failed",
        trigger=EventTrigger(
            expect=RUNS, match={"prefect.resource.id": "prefect.flow-run.*"}, posture=Posture.Reactive, threshold=1
        ),
        actions=[tell("{{ flow_run.name }}: {{ flow_run.state.name }}", "{{ flow_run.state.message }}")],
    ).create()
    Automation(
        name="ninja-sync: no pull has completed for an hour",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Completed", "prefect.flow-run.Needs a look", "prefect.flow-run.Brake held"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": "pull"},
            posture=Posture.Proactive, threshold=1, within=timedelta(hours=1),
        ),
        actions=[tell("Ninja Sync is quiet", "No pull has completed for an hour: are the workers alive?")],
    ).create()  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
