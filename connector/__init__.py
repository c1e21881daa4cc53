"""HTTP and Invoice Ninja's verbs: the only room that knows the network."""

import sys

# `import httpx` also imports httpx's own command line, and with it rich and pygments: a tenth of a second for each cold
# pull, for nothing. With this entry the import fails with ImportError, which httpx takes as "not installed".
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
