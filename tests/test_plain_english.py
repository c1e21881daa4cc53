"""No text that users read has the worst patterns of translated English.

To hold more texts, add them to TEXTS. While they are being rewritten, ALLOWED has the most that each pattern may find
in them: lower it with each rewritten text, and remove it at zero.
"""

from __future__ import annotations

import re

import pytest
from typer.main import get_command

from flows.cli.app import app
from tests.docs.pages import PAGES, name_of

PATTERNS = {  # what to write instead
    "tell, told: report, return, record, say": r"\b(?:tell|tells|told|telling)\b",
    "anew: again": r"\banew\b",
    "whoever, whatever: name the actor": r"\b(?:whoever|whosoever|whatever|whichever)\b",
    "left as they were: unchanged": r"\b(?:left|leaves?|stays?|stayed|put back) as (?:they|it) (?:were|was)\b",
    "of which: two sentences": r"\bof which\b",
    "what is equal: name the thing": (
        r"\bwhat (?:is|was|are|were|it|they|has|had|cannot|can|came|goes|stays)\b(?![^.\n]*\?)"
    ),
    "who may as a thing: name the person": r"(?:^|[.:;] )who (?:may|can|cannot|has|makes)\b(?![^.\n]*\?)",
    "1 clients: plurals": (
        r"(?<![\d.,–-])\b1 (?:clients|calls|requests|rows|merges|values|records|contacts|pairs|groups)\b"
    ),
    "by itself: alone, automatically": r"\bby (?:itself|themselves)\b",
    "so many, as many: a number": r"\bso many\b",
    "gone on with: continued, resumed": r"\b(?:gone|goes|go|going) on with\b",
    "taken out, takes out: removed": r"\b(?:take|takes|taken|taking|took) (?:it |them |one )?out\b",
    "kept back, keep back: stop": r"\b(?:keep|keeps|kept|keeping) back\b",
    "where there is one: if": r"\bwhere (?:there (?:is|are)|it is|they are|one is|nothing|this is)\b",
    "wish: change": r"\b(?:wish|wishes|wished)\b(?<!-wishes)",
    "survivor, cluster: client kept, group of duplicates": r"\b(?:survivor|survives|clusters?)\b",
    "are one, is one: duplicates": r"\b(?:clients|two|that|which|they) (?:are|is) one\b(?! \w)",
    "mend, mended: fix, correct": r"\bmend(?:s|ed|ing)?\b",
    "cell: value": r"\b(?:a|the|each|every|one) cell\b",
    "unasked, unless told": r"\b(?:unasked|unless told)\b",
    "stands, stand in: is": r"\bstands? (?:here|there|in|on)\b",
}
COMPILED = {name: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for name, pattern in PATTERNS.items()}
CODE = re.compile(r"```.*?```|`[^`\n]*`|<!--.*?-->|\]\([^)]*\)", re.DOTALL)


def prose_of(page):
    """A page without its code and links."""
    return CODE.sub(" ", page.read_text(encoding="utf-8"))


def help_of(command, path=()):
    """All texts of a command and of the commands below it: help, epilog, options, arguments."""
    texts = [command.help, command.short_help, command.epilog]
    texts += [getattr(parameter, "help", None) for parameter in command.params]
    yield "\n".join(filter(None, texts))
    for name, below in getattr(command, "commands", {}).items():
        yield from help_of(below, (*path, name))


TEXTS = {
    **{name_of(page): lambda page=page: prose_of(page) for page in PAGES},
    "--help": lambda: CODE.sub(" ", "\n".join(help_of(get_command(app)))),
}
ALLOWED: dict[str, dict[str, int]] = {
    "--help": {
        "tell, told: report, return, record, say": 16,
        "anew: again": 3,
        "whoever, whatever: name the actor": 3,
        "of which: two sentences": 1,
        "what is equal: name the thing": 20,
        "so many, as many: a number": 1,
        "gone on with: continued, resumed": 3,
        "taken out, takes out: removed": 3,
        "kept back, keep back: stop": 1,
        "where there is one: if": 9,
        "wish: change": 3,
        "survivor, cluster: client kept, group of duplicates": 11,
        "are one, is one: duplicates": 2,
        "unasked, unless told": 5,
    },
}


def counted(text):
    """How often each pattern stands in a text, and where."""
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", text)  # lines of a paragraph are one text
    return {name: [joined[m.start() - 30 : m.end() + 20] for m in p.finditer(joined)] for name, p in COMPILED.items()}


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_has_more_translated_english_than_allowed(name):
    allowed = ALLOWED.get(name, {})
    worse = {
        pattern: places for pattern, places in counted(TEXTS[name]()).items() if len(places) > allowed.get(pattern, 0)
    }
    assert worse == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "It tells how many.", "Views are made anew.", "Whoever reaches it can.", "They are left as they were.",
        "A merge of which nothing is known.", "Drop what is equal.", "x. What cannot be written is refused.",
        "1 calls for 3 clients", "A run does it by itself.", "It is gone on with later.", "Clients that are one.",
    ],
)  # fmt: skip
def test_the_patterns_find_the_sentences_that_they_are_for(sentence):
    assert any(counted(sentence).values())


def test_plain_sentences_are_not_found():
    plain = (
        "Drop values already set; refuse those that cannot be written. No clients match. What do clients owe? "
        "1 request for 1 client. The code is unchanged. 11 clients were merged. Errors are one line."
    )
    assert not any(counted(plain).values())
