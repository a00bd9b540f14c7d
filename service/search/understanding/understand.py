"""A query's words, read: what is misspelt, what is a filter, what is not wanted, what the catalogue has a field for."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from indexer.builds.words import Words
from indexer.domain import BuildManifest, Condition, FieldType, Where
from service.search.understanding.chips import Chip, SoftBoost, Understood, chip_id, written
from service.search.understanding.codes import read_codes
from service.search.understanding.cuts import Cut, disjoint, without
from service.search.understanding.dictionary import ENGLISH
from service.search.understanding.lifts import lifts
from service.search.understanding.negation import LONGEST, MOST, read_negations, unwanted
from service.search.understanding.prices import PRICE, read_prices
from service.search.understanding.sizes import read_sizes
from service.search.understanding.spelling import corrected, is_unknown
from service.search.understanding.vocabulary import Mention, Vocabulary, vocabulary_of

CORRECTED: Final = 32
"""Words of a query that are looked up, at most."""

_CHUNK = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
Synonyms = Sequence[tuple[str, Sequence[str]]]


def understand(
    text: str,
    manifest: BuildManifest,
    words: Words,
    *,
    synonyms: Synonyms = (),
    avoid: Sequence[str] = (),
    ignore: Collection[str] = (),
) -> Understood:
    """Nothing is raised, whatever the text; `words` may be left empty.

    `synonyms` are words with what is searched beside them, `avoid` what is not wanted besides what the text says, of
    which the first ten count and of each its first 100 characters, `ignore` ids of chips that the shopper took back.
    """
    vocabulary = vocabulary_of(manifest)
    reading = _Reading(frozenset(chip_id(*_halves(one)) for one in ignore))
    typed = _spelt(" ".join(text.split()), words, manifest.language, reading)
    avoided = [said for one in avoid if (said := " ".join(one.split())[:LONGEST].rstrip())][:MOST]
    room = MOST - len(avoided)
    left = _cut(_with_synonyms(typed, synonyms, vocabulary, reading), vocabulary, words, room, reading)
    for said in avoided:
        reading.take(unwanted(said, vocabulary.mentions(said), vocabulary.guessable))
    hidden = [(start, end) for start, end, chip in read_codes(left) if reading.note(chip)]
    mentions = vocabulary.mentions(left)
    for mention in mentions:
        if not any(start < mention.end and mention.start < end for start, end in hidden):
            reading.lift(left[mention.start : mention.end], mention, vocabulary.guessable)
    if manifest.language == ENGLISH and len(words):
        _tell_unknown(left, words, [*hidden, *((one.start, one.end) for one in mentions)], reading)
    return reading.understood(left)


@dataclass
class _Reading:
    """What was read so far; nothing that is to be ignored gets in."""

    ignored: frozenset[str]
    chips: dict[str, Chip] = field(default_factory=dict)
    filters: dict[str, Where] = field(default_factory=dict)
    boosts: dict[str, tuple[SoftBoost, ...]] = field(default_factory=dict)
    avoided: dict[str, None] = field(default_factory=dict)
    lifting: set[Condition] = field(default_factory=set)

    def note(self, chip: Chip) -> bool:
        """Whether the chip counts."""
        if chip.id in self.ignored:
            return False
        self.chips.setdefault(chip.id, chip)
        return True

    def take(self, cut: Cut) -> None:
        if not self.note(cut.chip):
            return
        if cut.where is not None:
            self.filters.setdefault(cut.chip.id, cut.where)
        if cut.avoid is not None:
            self.avoided.setdefault(cut.avoid)
        self.boosts.setdefault(cut.chip.id, cut.boosts)

    def lift(self, said: str, mention: Mention, guessable: Collection[str]) -> None:
        """A value that another word lifts already is not lifted again."""
        name, where = mention.field, written(mention.conditions)
        chip = Chip(
            id=chip_id(name, mention.value),
            kind="boost",
            text=said,
            label=f"{name.replace('_', ' ').capitalize()}: {mention.value}",
            field=name,
            value=mention.value,
            where=where,
        )
        if self.note(chip):
            new = [condition for condition in mention.conditions if condition not in self.lifting]
            self.lifting.update(new)
            self.boosts.setdefault(chip.id, lifts(new, guessable, chip.id))

    def understood(self, left: str) -> Understood:
        return Understood(
            words=left,
            avoid=tuple(self.avoided),
            filters=tuple(self.filters.values()),
            boosts=tuple(boost for boosts in self.boosts.values() for boost in boosts),
            chips=tuple(self.chips.values()),
            codes=tuple(chip.text for chip in self.chips.values() if chip.kind == "code"),
        )


def _tell_unknown(left: str, words: Words, read: Sequence[tuple[int, int]], reading: _Reading) -> None:
    """Words that nothing knows: the encoder makes something of them, and the shopper should know that it guesses."""
    for chunk in islice(_CHUNK.finditer(left), CORRECTED):
        apart = not any(start < chunk.end() and chunk.start() < end for start, end in read)
        for found in _LETTERS.finditer(chunk.group()):
            said = found.group()
            if apart and len(said) > 2 and not any(map(str.isdigit, chunk.group())) and is_unknown(said, words):
                label = f"“{said}” is in no product"
                reading.note(Chip(id=chip_id("unknown", said), kind="unknown", text=said, label=label))


def _halves(chip: str) -> tuple[str, str]:
    kind, _, said = chip.partition(":")
    return kind, said


def _spelt(text: str, words: Words, language: str, reading: _Reading) -> str:
    """With the misspelt words as the catalogue spells them; a word with digits is a code or a measure, and stays."""
    room = CORRECTED

    def put_right(found: re.Match[str]) -> str:
        nonlocal room
        room -= 1
        typed = found.group()
        meant = corrected(typed, words, language) if room >= 0 else None
        if meant is None:
            return typed
        label = f"{typed} → {meant}"
        chip = Chip(id=chip_id("spelling", typed), kind="spelling", text=typed, label=label, value=meant)
        return meant if reading.note(chip) else typed

    def of_chunk(chunk: re.Match[str]) -> str:
        if any(letter.isdigit() for letter in chunk.group()):
            return chunk.group()
        return _LETTERS.sub(put_right, chunk.group())

    return _CHUNK.sub(of_chunk, text) if len(words) else text


def _with_synonyms(text: str, synonyms: Synonyms, vocabulary: Vocabulary, reading: _Reading) -> str:
    """What the words also mean is searched beside them."""
    added = []
    said = vocabulary.key(text)
    for phrase, meanings in synonyms:
        key = vocabulary.key(phrase)
        new = [one for one in meanings if not _holds(said, vocabulary.key(one))]
        if key and new and _holds(said, key):
            label = f"{phrase} → also {', '.join(new)}"
            chip = Chip(id=chip_id("synonym", phrase), kind="synonym", text=phrase, label=label, value=", ".join(new))
            added += new if reading.note(chip) else []
    return " ".join([text, *dict.fromkeys(added)])


def _holds(said: Sequence[int | str], phrase: Sequence[int | str]) -> bool:
    return any(said[at : at + len(phrase)] == phrase for at in range(len(said) - len(phrase) + 1))


def _cut(text: str, vocabulary: Vocabulary, words: Words, room: int, reading: _Reading) -> str:
    """Again and again, as what is cut may bring together what then reads as one; at most `room` negations."""
    while cuts := [cut for cut in disjoint(_cuts(text, vocabulary, words, room)) if cut.chip.id not in reading.ignored]:
        for cut in cuts:
            reading.take(cut)
        room -= sum(cut.avoid is not None for cut in cuts)
        text = without(text, cuts)
    return text


def _cuts(text: str, vocabulary: Vocabulary, words: Words, room: int) -> Iterator[Cut]:
    if vocabulary.fields.get(PRICE) is FieldType.NUMBER:
        yield from read_prices(text, words)
    yield from read_sizes(text, vocabulary)
    yield from islice(read_negations(text, vocabulary.mentions(text), vocabulary.guessable), room)
