"""The catalogue's own values, found again in what a shopper says."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexer.builds.languages import LANGUAGES
from indexer.domain import BuildManifest, Condition, FieldType, Op
from indexer.images.names import COLOUR_NAMES, SYNONYMS, colour_named_in
from indexer.stores.lexical import stemmer
from service.search.understanding.lifts import COLOUR, PALETTE

CATEGORY = "category"
SIZES = frozenset({"size", "sizes"})
"""A field one of whose words is such is a size: its values are short and mean nothing without saying so."""
LONGEST = 4
"""Words of a value that is looked for."""
MAX_VALUES = 20
"""Values of a field that one word may mean."""

_PIECE = re.compile(r"(\w+?)(?:['’]s)?(?!\w)")
_PARTS = re.compile(r"\s*(?:&|,|/|\band\b|\bor\b)\s*")
_UNTELLING = frozenset({"yes", "no", "true", "false", "none", "other", "others", "misc", "default", "unknown", "n/a"})
_SILENT = frozenset({"parent", "availability", "guessed", PALETTE})
"""Fields whose values nobody says."""

Key = tuple[int | str, ...]
"""The words of a phrase: the stem's id, or the word itself where it is a stop word."""


@dataclass(frozen=True)
class Piece:
    """A word and its place in the text, a possessive's ending included."""

    start: int
    end: int
    key: int | str


@dataclass(frozen=True)
class Mention:
    """Words between `start` and `end` of a text that name `value` of `field`; any of the `conditions` says so."""

    start: int
    end: int
    field: str
    value: str
    conditions: tuple[Condition, ...]


class Vocabulary:
    """Phrases → what they name. Made once per build; reading costs a few look-ups per word."""

    def __init__(
        self,
        values: Mapping[str, Sequence[str]],
        fields: Mapping[str, FieldType],
        language: str = "en",
        guessable: Collection[str] = (),
    ) -> None:
        self._stems = lru_cache(maxsize=100_000)(stemmer(LANGUAGES.get(language, "english")))
        self._colours = _colour_conditions(values.get(COLOUR, ()))
        self.values = values
        self.fields = fields
        self.guessable = frozenset(guessable)
        self._named: dict[Key, dict[str, list[str]]] = {}
        for field, known in values.items():
            if fields.get(field) is FieldType.KEYWORD and field not in _SILENT and not is_size(field):
                for value in known:
                    self._learn(field, value)
        colours = {self.key(name)[0] for name in (*COLOUR_NAMES, *SYNONYMS)}
        self._first = frozenset(colours.union(key[0] for key in self._named))

    def mentions(self, text: str) -> list[Mention]:
        """In their order; longer ones win and use their words up: "stone beige" is a colour and no stone."""
        pieces = self._pieces(text)
        unread = set(range(len(pieces)))
        found = []
        starts = [at for at, piece in enumerate(pieces) if piece.key in self._first]
        for size in range(LONGEST, 0, -1):
            for at in starts:
                places = range(at, at + size)
                fits = at + size <= len(pieces) and unread.issuperset(places)
                named = self._naming(text, pieces[at : at + size]) if fits else None
                if named is not None:
                    unread.difference_update(places)
                    found.append(named)
        return sorted(found, key=lambda mention: mention.start)

    def key(self, text: str) -> Key:
        return tuple(piece.key for piece in self._pieces(text))

    def _naming(self, text: str, pieces: Sequence[Piece]) -> Mention | None:
        start, end = pieces[0].start, pieces[-1].end
        colour = _colour(text[start:end])
        if colour is not None:
            conditions = self._colours.get(colour) or (Condition(PALETTE, Op.EQ, colour),)
            return Mention(start, end, COLOUR, colour, conditions)
        named = self._named.get(tuple(piece.key for piece in pieces))
        if named is None:
            return None
        conditions = tuple(
            Condition(field, Op.EQ, value) for field, values in named.items() for value in values[:MAX_VALUES]
        )
        return Mention(start, end, conditions[0].field, str(conditions[0].value), conditions)

    def _learn(self, field: str, value: str) -> None:
        if value in _UNTELLING or not any(len(word) > 1 and not word.isdigit() for word in _PIECE.findall(value)):
            return
        parts = _PARTS.split(value) if field == CATEGORY else []
        for said in dict.fromkeys([value, *parts]):
            key = self.key(said)
            if 0 < len(key) <= LONGEST and any(isinstance(stem, int) for stem in key):
                known = self._named.setdefault(key, {}).setdefault(field, [])
                if value not in known:
                    known.append(value)

    def _pieces(self, text: str) -> list[Piece]:
        return [
            Piece(found.start(), found.end(), stems[0] if (stems := self._stems(word)) else word)
            for found in _PIECE.finditer(text)
            for word in [found.group(1).casefold()]
        ]


def vocabulary_of(manifest: BuildManifest) -> Vocabulary:
    """Kept for the builds that are being searched."""
    return _vocabulary_of(_Same(manifest))


def is_size(field: str) -> bool:
    return not SIZES.isdisjoint(re.split(r"[\W_]+", field.casefold()))


def size_fields(vocabulary: Vocabulary) -> Iterator[str]:
    return (field for field in vocabulary.fields if is_size(field))


class _Same:
    """A manifest as a key: the same object, as it is never changed."""

    def __init__(self, manifest: BuildManifest) -> None:
        self.manifest = manifest

    def __hash__(self) -> int:
        return id(self.manifest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.manifest is self.manifest


@lru_cache(maxsize=16)
def _vocabulary_of(key: _Same) -> Vocabulary:
    manifest = key.manifest
    guessable = [field for field, tagging in manifest.tagging.items() if tagging.used]
    return Vocabulary(manifest.vocabulary, manifest.fields, manifest.language, guessable)


def _colour(phrase: str) -> str | None:
    spoken = " ".join(re.split(r"[\s-]+", phrase.casefold()))
    return SYNONYMS.get(spoken, spoken if spoken in COLOUR_NAMES else None)


def _colour_conditions(values: Sequence[str]) -> dict[str, tuple[Condition, ...]]:
    """Colour → that the shop's field is one of the values that mean it, the most frequent ones."""
    meaning: dict[str, list[Condition]] = {}
    for value in values:
        name = colour_named_in(value)
        if name is not None:
            meaning.setdefault(name, []).append(Condition(COLOUR, Op.EQ, value))
    return {name: tuple(conditions[:MAX_VALUES]) for name, conditions in meaning.items()}
