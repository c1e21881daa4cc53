"""How words and first names of two clients are compared, as macros of DuckDB."""

from __future__ import annotations

from typing import Final

WORD_ALIKE: Final = """
create or replace temp macro word_alike(x, y) as
    jaro_winkler_similarity(x, y) >= 0.88 or (starts_with(x, y) and (length(y) >= 4 or length(y) = 1))
    or (starts_with(y, x) and (length(x) >= 4 or length(x) = 1))
"""
"""One word of a name is another's typo, abbreviation or initial."""
LEFT_OVER: Final = """
create or replace temp macro left_over(a, b) as case when len(a) = 0 then 0 when len(b) = 0 then len(a)
    else len(list_filter(a, lambda x: len(list_filter(b, lambda y: word_alike(x, y))) = 0)) end
"""
"""The number of words in `a` with no similar word in `b`."""
UNLIKE_GIVEN: Final = """
create or replace temp macro unlike_given(a, b, firsts) as len(a) > 0 and len(b) > 0 and
    len(list_filter(a, lambda x: len(list_filter(b, lambda y: x = y
        or (jaro_winkler_similarity(x, y) >= 0.9 and x[-1] = y[-1] and length(x) > 1 and length(y) > 1)
        or ((length(x) = 1 or length(y) = 1) and list_contains(firsts, x[1]) and list_contains(firsts, y[1]))
    )) > 0)) = 0
"""
"""Whether no first name of one client fits one of the other. `firsts` are the first letters that both have."""
WITHOUT_ITEMS: Final = """
create or replace temp macro without_items(a, b) as case when b is null then a
    when len(list_filter(a, lambda x: not list_contains(b, x))) = 0 then null
    else list_filter(a, lambda x: not list_contains(b, x)) end
"""
"""The items of `a` that are not in `b`; none is NULL."""
MACROS: Final = (WORD_ALIKE, LEFT_OVER, UNLIKE_GIVEN, WITHOUT_ITEMS)
