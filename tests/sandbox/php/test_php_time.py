from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sandbox.php.php_time import bound_moment, parse

NOW = datetime.fromisoformat("2026-11-22T14:30:05")  # a Sunday


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02", "2026-01-02T00:00:00"),
        ("2026-1-5", "2026-01-05T00:00:00"),
        ("2026-01-02 03:04:06", "2026-01-02T03:04:06"),
        ("2026-01-02T03:04:06Z", "2026-01-02T03:04:06"),
        ("2026-01-02T05:04:06+02:00", "2026-01-02T05:04:06"),
        ("2026-01-02T03:04:06.5Z", "2026-01-02T03:04:06.500000"),
        ("2026/01/02", "2026-01-02T00:00:00"),
        ("01/02/2026", "2026-01-02T00:00:00"),
        ("02.01.2026", "2026-01-02T00:00:00"),
        ("2 January 2026", "2026-01-02T00:00:00"),
        ("Jan 2, 2026 3:04 pm", "2026-01-02T15:04:00"),
        ("2026-02-30", "2026-03-02T00:00:00"),
        ("@86400", "1970-01-02T00:00:00"),
        ("now", "2026-11-22T14:30:05"),
        ("today", "2026-11-22T00:00:00"),
        ("tomorrow", "2026-11-23T00:00:00"),
        ("yesterday", "2026-11-21T00:00:00"),
        ("-1 day", "2026-11-21T14:30:05"),
        ("2 weeks ago", "2026-11-08T14:30:05"),
        ("+1 year", "2027-11-22T14:30:05"),
        ("next month", "2026-12-22T14:30:05"),
        ("2026-01-31 +1 month", "2026-03-03T00:00:00"),
        ("monday", "2026-11-23T00:00:00"),
        ("last monday", "2026-11-16T00:00:00"),
        ("5 minutes ago", "2026-11-22T14:25:05"),
    ],
)
def test_understood(text, moment):
    assert parse(text, NOW) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text", ["garbage", "gte:2026-01-02", "gte:1767225600", "2026-13-45", "2026-01-99", "null", "true"]
)
def test_not_understood(text):
    assert parse(text, NOW) is None


def test_seconds_are_read_in_utc_and_words_in_the_zone_of_the_server():
    zone = ZoneInfo("America/New_York")
    assert bound_moment("1767225600.9", 0, zone) == datetime.fromisoformat("2026-01-01")
    assert bound_moment("today", 1767225600, zone) == datetime.fromisoformat("2025-12-31")


def test_milliseconds_are_no_moment():
    assert bound_moment("1767225600000", 0, UTC) is None
