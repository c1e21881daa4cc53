"""HTTP and Invoice Ninja's verbs: the only room that knows the network."""

import sys

# `import httpx` also imports httpx's own command line, and with it rich and pygments: a tenth of a second, which each
# cold pull would spend for nothing. httpx takes an ImportError there as "not installed", and so it is told.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
