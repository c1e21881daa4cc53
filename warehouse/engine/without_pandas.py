"""Keep pyarrow from importing pandas."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Makes `import pandas` fail."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the import system's
        """Raise ImportError for pandas; leave every other module to the other finders."""
        if name == "pandas":
            raise ImportError(name)


def leave_pandas_alone() -> None:
    """Have pyarrow look for pandas now, in vain: otherwise it would import it, a second and 60 MB for nothing.

    At the first `pa.array` of a list, pyarrow checks whether the list is pandas' own (_PandasAPIShim in
    pandas-shim.pxi). `to_pandas` checks again, so pandas still works in this process.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, finder := _NoPandas())
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
