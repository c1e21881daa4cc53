"""The command that runs scheduled flows: `ninja-sync serve`."""

from __future__ import annotations

from flows.cli.options import ConfigFile, SourceName
from flows.configuration.load import load_settings
from schemas.extras import needs


def serve(source: SourceName = None, config: ConfigFile = None) -> None:
    """Run the flows on their schedules, until Ctrl-C.

    Needs `pip install 'ninja-sync[prefect]'` and a Prefect server. The schedules are in [prefect.schedules] of the
    configuration. For many machines, use work pools: docs/operating.md.
    """
    settings = load_settings(config)
    with needs("prefect"):
        from flows.scheduled.serve import serve_flows  # noqa: PLC0415 - Prefect is an extra
    serve_flows(settings, source, config)
