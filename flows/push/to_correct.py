"""The active clients as a sheet that a person corrects and uploads: values left as they are change nothing."""

from __future__ import annotations

from flows.ask.ask import Result, asked
from flows.configuration.values import Settings
from flows.push.columns import labels_of, words_for

KEY_HEADINGS = {"id": "Id", "number": "Number"}


def clients_to_correct(settings: Settings, source: str) -> Result:
    """Return the active clients, with headings that an upload recognises. `Id` says which client a row means."""
    labels = labels_of(settings, source)
    answer = asked(settings, "read/clients_to_correct", {"source": source})
    return Result([KEY_HEADINGS.get(name) or words_for(name, labels) for name in answer.columns], answer.rows)
