"""What a shopper may be about to type: words and values that the catalogue has."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import nlargest
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from indexer.builds.live import LiveIndex
from indexer.builds.words import Words
from indexer.domain import BuildManifest, FieldType
from service.search.understanding.spelling import corrected
from service.web.routing import SEARCHING, PageRoute
from service.web.site import shop_of

router = APIRouter(route_class=PageRoute, include_in_schema=False, dependencies=[SEARCHING])

MOST: Final = 8
LONGEST: Final = 200
"""Letters of what is typed that are looked at."""
PHRASE: Final = 3
"""Words of a value that may be begun."""
_FEWEST: Final = 2
"""A word that fewer products have is not suggested: it is a name, or a slip of the shop's own."""
_LAST: Final = "\U0010ffff"
_SILENT: Final = frozenset({"parent", "availability", "guessed", "palette", "currency"})
"""Fields whose values nobody types."""
_TELLING: Final = ("kind", "category", "colour", "material", "pattern", "brand")
"""Fields by whose values people mostly begin."""
THINGS: Final = frozenset({0, 1})
"""Places of the fields that say what a thing is; where the catalogue has one, words of its texts are suggested
only where no value fits."""
ENOUGH: Final = 3
"""Values from which other words are not suggested beside them, of a catalogue without such a field."""
_VALUE: Final = re.compile(r"[^\W\d_]+(?:[ '’-][^\W_]+){0,3}")
"""What reads as words: no codes, no measures, no lists."""


class Suggester:
    """Of one build; made once, then a few look-ups for each letter typed. Thread-safe."""

    def __init__(self, words: Words, values: Mapping[str, int], language: str) -> None:
        """`values` are those of the catalogue's fields, with the place of the field, the most telling first; other
        words stand back. How many products have a value is told by the rarest of its words."""
        self._values = values
        self._enough = ENOUGH if THINGS.isdisjoint(values.values()) else 1
        self._counts = {word: words.count(word) for word in words if words.count(word) >= _FEWEST}
        for value in self._values:
            parts = (words.count(one) for one in re.findall(r"[^\W\d_]+", value))
            self._counts[value] = min(parts, default=0)
        self._sorted = sorted(self._counts)
        self._words = words
        self._language = language

    def of(self, typed: str) -> Sequence[str]:
        """What was typed with its last words completed: the longest phrase first, then values of the catalogue, in each
        case what more products have."""
        said = " ".join(typed[-LONGEST:].casefold().split())
        if not said:
            return ()
        ended = typed[-1].isspace()
        found = [one for one in self._completed(said, ended) if one != said]
        if not found and not ended:
            meant = " ".join(corrected(one, self._words, self._language) or one for one in said.split(" "))
            found = [] if meant == said else [meant, *self._completed(meant, False)]
        return tuple(dict.fromkeys(found))[:MOST]

    def _completed(self, said: str, ended: bool) -> Iterator[str]:
        """`ended`: after a blank only further words of a value are wanted."""
        parts = said.split(" ")
        for size in range(min(PHRASE, len(parts)), 0, -1):
            head, begun = " ".join(parts[:-size]), " ".join(parts[-size:]) + (" " if ended else "")
            for one in self._starting(begun):
                if one not in parts[:-size]:
                    yield _joined(head, one)

    def _starting(self, begun: str) -> Sequence[str]:
        start, end = bisect_left(self._sorted, begun), bisect_left(self._sorted, begun + _LAST)
        found = self._sorted[start:end]
        values = [one for one in found if one in self._values]
        best = nlargest(MOST, values, key=lambda one: (-self._values[one], self._counts[one], -len(one)))
        if len(best) >= self._enough:
            return best
        others = (one for one in found if one not in self._values)
        return [*best, *nlargest(MOST, others, key=lambda one: (self._counts[one], -len(one)))]


def suggester_of(index: LiveIndex) -> Suggester:
    """Kept for the builds that are being searched."""
    return _suggester_of(_Same(index.manifest, index.words))


@router.get("/suggest")
def suggest(
    request: Request,
    q: Annotated[str, Query(max_length=1_000)] = "",
    catalog: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    with shop_of(request).lease(catalog or None) as (index, _):
        found = suggester_of(index).of(q)
    return JSONResponse({"suggestions": list(found)}, headers={"Cache-Control": "private, max-age=300"})


class _Same:
    """A build's manifest and words as a key: the same object, as neither is ever changed."""

    def __init__(self, manifest: BuildManifest, words: Words) -> None:
        self.manifest = manifest
        self.words = words

    def __hash__(self) -> int:
        return id(self.manifest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.manifest is self.manifest


@lru_cache(maxsize=8)
def _suggester_of(key: _Same) -> Suggester:
    manifest = key.manifest
    values: dict[str, int] = {}
    for field, known in sorted(manifest.vocabulary.items(), key=lambda one: _place(one[0])):
        if manifest.fields.get(field) is FieldType.KEYWORD and field not in _SILENT:
            for value in (part for one in known for part in one.split("/")):
                if len(value) > 1 and _VALUE.fullmatch(value):
                    values.setdefault(value.casefold(), _place(field))
    return Suggester(key.words, values, manifest.language)


def _place(field: str) -> int:
    return _TELLING.index(field) if field in _TELLING else len(_TELLING)


def _joined(head: str, said: str) -> str:
    return f"{head} {said}" if head else said
