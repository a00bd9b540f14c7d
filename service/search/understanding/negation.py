"""What a shopper does not want, read out of the words: "without logo", "no print", "neither red nor blue", "-hood"."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from service.search.understanding.chips import Chip, chip_id, written
from service.search.understanding.cuts import Cut
from service.search.understanding.lifts import lowered
from service.search.understanding.vocabulary import Mention

WORDS: Final = 2
"""Words that a negation reaches over, where they are no value of the catalogue."""
MOST: Final = 10
"""Things that one search keeps away from."""
LONGEST: Final = 100
"""Characters of one of them."""

_CUE = re.compile(
    r"(?:,\s*|(?<![\w-])(?:but|and|with)\s+)?"
    r"(?P<cue>(?<![\w-])(?:(?:without|w/o|excluding|except(?:\s+for)?|neither|nor?|not|"
    r"(?:(?:that|which)\s+)?(?:(?:is|are)\s+not|(?:is|are|must|should|ca|wo)n['’]?t)|"
    r"(?:(?:that|which|i)\s+)?do(?:es)?(?:\s+not|n['’]?t)\s+(?:want|like|have))(?![\w-])\s+|(?P<non>non[\s-]+))"
    r"|(?<!\S)-(?=[^\W\d_]))"
    r"(?:(?:in|be|have|it|them)\s+)*(?:(?:made|meant)\s+(?:out\s+)?(?:of|from|in|with|for)\s+|for\s+)?"
    r"(?:(?:an?|any|the|either)\s+)*",
    re.IGNORECASE,
)
_OR = re.compile(
    r"\s*(?:(?:,\s*)?\b(?:n?or)\s+|,\s*(?=[^;.]{0,80}?\bnor\s))(?:(?:an?|any|the|with|without|no|for|in)\s+)*",
    re.IGNORECASE,
)
_WORD = re.compile(r"\s*([^\W\d_][\w'’]*(?:-\w+)*)")
_ENDS_AT = (
    "a an and any are at because but by can for from have if in is it like nor not of on or over please size so than "
    "that the then there they this to under up which while who with without you"
)
_ENDS = frozenset(_ENDS_AT.split())
"""A word that ends what is not wanted."""
_SAYINGS = (
    "bad enough exactly just less many matter more much necessarily need needed only problem really so sure that too "
    "very want yet"
)
_NO_NEGATION = frozenset(_SAYINGS.split())
""" "not too big", "no problem": nothing is left out."""


def read_negations(text: str, mentions: Sequence[Mention], guessable: Collection[str]) -> Iterator[Cut]:
    """`mentions` are the values named in the text; a "no" that is part of one is none: "no-show socks".

    A "non" is one before a value alone: "non-striped", but not "non-stick".
    """
    inside = [range(mention.start, mention.end) for mention in mentions]
    for cue in _CUE.finditer(text):
        if any(cue.start("cue") in places for places in inside):
            continue
        if cue["non"] is not None and all(cue.end() != mention.start for mention in mentions):
            continue
        start, joint = cue.start(), cue
        while (cut := _unwanted(text, start, joint.end(), mentions, guessable)) is not None:
            yield cut
            following = _OR.match(text, cut.end)
            if following is None:
                break
            start, joint = cut.end, following


def unwanted(said: str, mentions: Sequence[Mention], guessable: Collection[str]) -> Cut:
    """As if the shopper had said "without" before `said`; `mentions` are the values named in it."""
    whole = next((one for one in mentions if (one.start, one.end) == (0, len(said))), None)
    return _cut(0, len(said), said, said, whole, guessable)


def _unwanted(text: str, start: int, at: int, mentions: Sequence[Mention], guessable: Collection[str]) -> Cut | None:
    """What is not wanted from `at` on; from `start` on it is cut."""
    named = next((mention for mention in mentions if mention.start == at), None)
    if named is not None and named.end - at <= LONGEST:
        return _cut(start, named.end, text[start : named.end], text[at : named.end], named, guessable)
    end, reached = at, 0
    while reached < WORDS and (word := _WORD.match(text, end)) is not None:
        said = word.group(1).casefold()
        if said in _ENDS or (not reached and said in _NO_NEGATION):
            break
        if any(mention.start <= word.start(1) < mention.end for mention in mentions):
            break
        end, reached = word.end(), reached + 1
    fits = 0 < end - at <= LONGEST
    return _cut(start, end, text[start:end], text[at:end], None, guessable) if fits else None


def _cut(start: int, end: int, text: str, said: str, named: Mention | None, guessable: Collection[str]) -> Cut:
    unwanted_words = " ".join(said.split())
    key = chip_id("without", unwanted_words if named is None else named.value)
    label = f"Without {unwanted_words if named is None else named.value}"
    if named is None:
        chip = Chip(id=key, kind="without", text=text.strip(" ,"), label=label, value=unwanted_words)
        return Cut(start, end, chip, avoid=unwanted_words)
    chip = Chip(
        id=key,
        kind="without",
        text=text.strip(" ,"),
        label=label,
        field=named.field,
        value=named.value,
        where=f"not ({written(named.conditions)})",
    )
    return Cut(start, end, chip, avoid=unwanted_words, boosts=lowered(named.conditions, guessable, key))
