"""What `make bench` says of clusters and probabilities, counted by hand on a few records."""

from __future__ import annotations

from tests.bench.dedupe_books import Labelled
from tests.bench.dedupe_judged import Judged, judged
from tests.bench.dedupe_page import OURS, page_of

RECORDS = [
    Labelled("0.0", "retyped", 0, "", {"id": "a"}), Labelled("0.0", "retyped", 0, "retyped", {"id": "b"}),
    Labelled("1.0", "numbered", 1, "", {"id": "c"}), Labelled("1.1", "numbered", 1, "", {"id": "d"}),
    Labelled("1.1", "numbered", 1, "copied", {"id": "e"}), Labelled("2.0", "plain", 2, "", {"id": "f"}),
]  # fmt: skip


def test_pairs_inside_the_clusters_are_counted_by_kind() -> None:
    result = judged(RECORDS, {}, [["a", "b"], ["c", "d", "f"]])
    assert result.found == {"retyped": 1}
    assert result.one == {"retyped": 1, "copied": 1}
    assert result.merged == {"numbered": 1, "unrelated": 2}
    assert result.never == {"numbered": 2}
    assert result.precision == 1 / 4
    assert result.recall == 1 / 2
    assert result.f1 == 1 / 3


def test_a_pair_that_two_clusters_hold_counts_once() -> None:
    assert judged(RECORDS, {}, [["a", "b"], ["b", "a"]]).found.total() == 1


def test_probabilities_are_counted_in_bands() -> None:
    bands = judged(RECORDS, {("a", "b"): 0.9, ("c", "d"): 0.94, ("d", "e"): 1.0, ("a", "f"): 0.0}, []).bands
    assert [(band.pairs, band.right) for band in bands] == [
        (1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (2, 1), (0, 0), (0, 0), (1, 1)
    ]  # fmt: skip
    assert round(bands[5].said, 6) == 1.84


def test_the_figures_of_two_sets_add_up() -> None:
    both = judged(RECORDS, {("a", "b"): 0.99}, [["a", "b"]]) + judged(RECORDS, {("c", "d"): 0.99}, [["c", "d"]])
    assert both.precision == 1 / 2
    assert both.recall == 1 / 4
    assert (both.bands[7].pairs, both.bands[7].right) == (2, 1)


def test_nothing_found_is_no_error() -> None:
    assert (judged([], {}, []).precision, Judged().recall, Judged().f1) == (0, 0, 0)


def test_the_page_has_each_set_kind_and_band() -> None:
    result = judged(RECORDS, {("a", "b"): 0.9}, [["a", "b"], ["a", "f"]])
    page = page_of({("book 1", OURS): result, ("book 1", "exact keys"): Judged(), ("FEBRL 9", OURS): result})
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]
    assert ["FEBRL 9", OURS, "0.500", "0.500", "0.500"] in rows
    assert ["all books", OURS, "0.500", "0.500", "0.500"] in rows
    assert ["retyped", "1", "1"] in rows
    assert ["unrelated", "0", "1"] in rows
    assert ["0.9 to 0.95", "1", "0.900", "1.000"] in rows
