"""Which generation of the server the sandbox answers as, and what differs between them.

5.10 and 5.12 are recorded, request by request, from a running 5.10.42 and a running 5.12.28. 2026 is our reading of the
vendor's code (single files of 5.13): what is not named here is answered as 5.10 answers it. Left out are the filters
that 2026 adds (operators before dates, `updated_between`, lists of ids, `strict`): its branches differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation. Each flag is a difference from 5.10."""

    name: str
    version: str
    """What `X-APP-VERSION` says."""
    bare_bad_token: bool = False
    """A bad token is refused without the key `errors`."""
    refuses_malformed_json: bool = False
    """A body that is not JSON is 400, no longer an empty record."""
    ignores_unknown_sort: bool = False
    """Sorting by an unknown column does nothing, no longer 500; by `contacts`, `contact_email` neither."""
    filters_by_words: bool = False
    """`filter` finds the rows that hold each of its words, no longer the one phrase."""
    hides_figures_of_one: bool = False
    """Whoever sees no figures in lists sees none in show and edit either."""
    drops_documents_of_put: bool = False
    """`documents` in a PUT is left out of the input, no longer all that is heard of it."""
    refuses_list_values: bool = False
    """A list as a custom value is 422, no longer 500."""
    reads_null_settings: bool = False
    """`settings: null` is an object without fields, no longer 500."""
    wants_lists_of_files: bool = False
    """What an upload brings as `file` or `documents` must be a list of files; 5.10 ignores anything else."""
    tells_license: bool = False
    """`/statics` has `license_key`."""
    tells_of_merges: bool = False
    """Activity 151 tells of a merge, 153 of a purge (since 5.12.22)."""
    has_locations: bool = False
    """Clients have `locations`."""
    operator_first: bool = False
    """`balance=gt:1000`, no longer `balance=1000:gt`."""
    newest_first: bool = False
    """Lists without a sort come newest first, no longer in any order."""
    sorts_by_several: bool = False
    """`sort` takes several columns."""
    merges_at_once: bool = False
    """A merge is one transaction, computes the figures anew, and asks for the right to edit both clients."""


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
