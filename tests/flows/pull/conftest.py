"""Pulls within one process."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _kept_open(kept_open):
    """What is tried here is not how a warehouse is opened."""
