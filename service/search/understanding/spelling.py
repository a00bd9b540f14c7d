"""Misspelt words, by the words the catalogue is written in."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from indexer.builds.words import Words
from service.search.understanding.dictionary import COLOURS, ENGLISH, right_words

SHORTEST: Final = 4
"""Letters; a shorter word is one slip away from too many others, but for two letters swapped in one of three."""
SHORTEST_FOREIGN: Final = 6
"""The same for a language without a dictionary."""
TWO_SLIPS: Final = 8
"""Letters from which a word may have two slips."""

_COLOURS = Words(dict.fromkeys(sorted(COLOURS), 1))


def corrected(word: str, words: Words, language: str = ENGLISH) -> str | None:
    """The catalogue's word or the colour that was meant, casefolded; None when the word may stay as it is.

    A word that the catalogue or the language has stays; so do a plural or singular of one, and what differs by accents
    alone. A slip is a letter too many, too few or wrong, or two neighbours swapped (optimal string alignment distance).
    The first letter is right or swapped with the second, as in nearly all misspellings (Pollock and Zamora 1984,
    "Automatic spelling correction in scientific and scholarly text"). Among equally near words the most frequent one is
    meant.
    """
    typed = word.casefold()
    if not typed.isalpha() or not is_unknown(typed, words, language):
        return None
    if len(typed) < (SHORTEST if language == ENGLISH else SHORTEST_FOREIGN):
        return _swapped(typed, words) if len(typed) == SHORTEST - 1 else None
    return _nearest(typed, words) or _nearest(typed, _COLOURS)


def is_unknown(word: str, words: Words, language: str = ENGLISH) -> bool:
    """Whether neither the catalogue nor the language has it, in its singular or plural."""
    forms = tuple(_forms(word.casefold()))
    return not (any(form in words for form in forms) or any(form in right_words(language) for form in forms))


def _swapped(typed: str, words: Words) -> str | None:
    """The catalogue's word that two neighbours of a short one were swapped in: "mgu"."""
    swapped = (typed[0] + typed[2] + typed[1], typed[1] + typed[0] + typed[2])
    return next((meant for meant in swapped if meant in words), None)


def _nearest(typed: str, words: Words) -> str | None:
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    allowed = 2 if len(typed) >= TWO_SLIPS else 1
    candidates = list(_candidates(typed, words, allowed))
    near = process.extract(
        typed, candidates, scorer=OSA.distance, processor=_plain, score_cutoff=allowed, limit=len(candidates)
    )
    distance, _, meant = min(((far, -words.count(known), known) for known, far, _ in near), default=(0, 0, ""))
    return meant if distance > 0 else None


def _candidates(typed: str, words: Words, allowed: int) -> Iterator[str]:
    for length in range(len(typed) - allowed, len(typed) + allowed + 1):
        yield from words.leading(typed[0], length)
    swapped = typed[1] + typed[0]
    for length in range(len(typed) - allowed, len(typed) + allowed + 1):
        yield from (word for word in words.leading(typed[1], length) if word.startswith(swapped))


def _forms(word: str) -> Iterator[str]:
    """The word, and what might be its singular and plural in English; for other languages they do no harm."""
    yield word
    yield word + "s"
    yield word + "es"
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("y", "ies")):
        if word.endswith(ending):
            yield word.removesuffix(ending) + instead


def _plain(word: str) -> str:
    """Without accents."""
    if word.isascii():
        return word
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
