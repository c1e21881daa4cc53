"""The generations of the server that the sandbox can answer as, and the differences between them.

5.10 and 5.12 are recorded, request by request, from a running 5.10.42 and a running 5.12.28. 2026 is our reading of the
vendor's code (single files of 5.13). A generation answers as 5.10 in everything not named here. Left out are the
filters that 2026 adds (operators before dates, `updated_between`, lists of ids, `strict`): its branches differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation. Each flag is a difference from 5.10."""

    name: str
    version: str
    """The value of `X-APP-VERSION`."""
    bare_bad_token: bool = False
    """A bad token is refused without the key `errors`."""
    refuses_malformed_json: bool = False
    """A body that is not JSON is 400, no longer an empty record."""
    ignores_unknown_sort: bool = False
    """Sorting by an unknown column does nothing, no longer 500; by `contacts`, `contact_email` neither."""
    filters_by_words: bool = False
    """`filter` finds the rows that hold each of its words, no longer only the whole phrase."""
    hides_figures_of_one: bool = False
    """A user who sees no figures in lists sees none in show and edit either."""
    drops_documents_of_put: bool = False
    """`documents` in a PUT is dropped from the input; it no longer makes the server ignore all other fields."""
    refuses_list_values: bool = False
    """A list as a custom value is 422, no longer 500."""
    reads_null_settings: bool = False
    """`settings: null` is an object without fields, no longer 500."""
    wants_lists_of_files: bool = False
    """An upload's `file` or `documents` must be a list of files; 5.10 ignores anything else."""
    tells_license: bool = False
    """`/statics` has `license_key`."""
    tells_of_merges: bool = False
    """Activity 151 reports a merge, 153 a purge (since 5.12.22)."""
    has_locations: bool = False
    """Clients have `locations`."""
    operator_first: bool = False
    """`balance=gt:1000`, no longer `balance=1000:gt`."""
    newest_first: bool = False
    """Lists without a sort come newest first, no longer in any order."""
    sorts_by_several: bool = False
    """`sort` takes several columns."""
    merges_at_once: bool = False
    """A merge is one transaction, computes the figures again, and requires the right to edit both clients."""


FIVE_TEN = Generation("5.10", "5.10.42")
FIVE_TWELVE = Generation(
    "5.12",
    "5.12.28",
    bare_bad_token=True,
    refuses_malformed_json=True,
    ignores_unknown_sort=True,
    filters_by_words=True,
    hides_figures_of_one=True,
    drops_documents_of_put=True,
    refuses_list_values=True,
    reads_null_settings=True,
    wants_lists_of_files=True,
    tells_license=True,
    tells_of_merges=True,
    has_locations=True,
)
OF_2026 = replace(
    FIVE_TWELVE,
    name="2026",
    version="5.13.32",
    operator_first=True,
    newest_first=True,
    sorts_by_several=True,
    merges_at_once=True,
)
GENERATIONS = {generation.name: generation for generation in (FIVE_TEN, FIVE_TWELVE, OF_2026)}
