"""A model's answer, read as it arrives and taken for hostile: what leaves here is plain text that cites hits only."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from service.ask.documents import MAX_ASKED, Sentence
from service.rerank.prompting import contained

MAX_SENTENCES: Final = 6
MAX_SENTENCE: Final = 300
"""Characters."""
MAX_READ: Final = 8_000
"""Characters of an answer."""

_REFERENCE = re.compile(r"\s*\[\s*\d+(?:\s*[,;]\s*\d+)*\s*\]")
"""`[1, 3]` in the text: what is cited is told beside it."""
_EMPHASIS = re.compile(r"\*+|`+|~~|__|^\s*(?:#+|[-•])\s+")
_MARKUP = re.compile(r"[<>{}|\\]|&#|&\w+;|\]\s*[(\[:]|!\[")
"""HTML, its entities, Markdown's links, tables and escapes. Emphasis is taken off instead: models are fond of it."""
_ADDRESS = re.compile(r"\w:/|//|@|[\w-]\.[^\W\d_]{2,}")
"""Of the web or of mail, with a scheme or without one."""
_SEPARATED = re.compile(r"(?<=\d)[.,](?=\d)")
_NUMBER = re.compile(r"\d{3,}")
"""What nobody counts on a photo: a measure, a price, an article number."""


@dataclass(frozen=True, slots=True)
class Source:
    """A hit as the model was told of it."""

    id: str
    text: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sentence: str = ""
    products: Annotated[list[StrictInt], Field(max_length=MAX_ASKED)] = []
    unknown: bool = False


class AnswerReader:
    """For one answer about `sources`, which the model knows by their numbers, from 1 on."""

    def __init__(self, question: str, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._asked = _numbers(question)
        self._begun = ""
        self._room = MAX_READ
        self._said: set[str] = set()
        self._unknown = False
        self.dropped = 0

    @property
    def full(self) -> bool:
        """Nothing that follows is read."""
        return self._room <= 0

    @property
    def done(self) -> bool:
        """Nothing that follows would be told."""
        return self.full or self._unknown or len(self._said) >= MAX_SENTENCES

    def read(self, piece: str) -> Iterator[Sentence]:
        """The sentences that `piece` completes."""
        self._begun += piece[: max(0, self._room)]
        self._room -= len(piece)
        *lines, self._begun = self._begun.split("\n")
        yield from self._told(lines)

    def end(self) -> Iterator[Sentence]:
        """The last line, which nothing ends."""
        begun, self._begun = self._begun, ""
        yield from self._told([begun])

    def _told(self, lines: Sequence[str]) -> Iterator[Sentence]:
        """Some models write a list of the lines, one each."""
        for line in (line.strip("[], \t\r") for line in lines):
            if not line or self.done:
                continue
            sentence = self._sentence(line)
            if sentence is not None:
                self._said.add(sentence.text)
                yield sentence
            elif not self._unknown:
                self.dropped += 1

    def _sentence(self, line: str) -> Sentence | None:
        try:
            said = _Line.model_validate_json(line)
        except ValidationError:
            return None
        self._unknown = said.unknown
        cited = list(dict.fromkeys(said.products))
        if said.unknown or not cited or not all(1 <= number <= len(self._sources) for number in cited):
            return None
        sources = [self._sources[number - 1] for number in cited]
        text = plain(said.sentence)
        if text is None or text in self._said or not _numbers(text) <= self._asked.union(*map(_told_by, sources)):
            return None
        return Sentence(text=text, products=tuple(source.id for source in sources))


def plain(text: str) -> str | None:
    """One line of plain text; None for what is empty, too long, or has markup or an address in it.

    Nothing is cut: half a sentence may say the opposite.
    """
    if len(text) > 2 * MAX_SENTENCE:
        return None
    bare = _EMPHASIS.sub("", _REFERENCE.sub("", text))
    seen = contained(bare, 2 * MAX_SENTENCE)
    for form in (bare, unicodedata.normalize("NFKC", seen)):
        if _MARKUP.search(form) or _ADDRESS.search(form):
            return None
    return seen if 0 < len(seen) <= MAX_SENTENCE else None


def _told_by(source: Source) -> frozenset[str]:
    return _numbers(source.text)


def _numbers(text: str) -> frozenset[str]:
    """Those of three digits and more, however they are grouped: a model that gives others made them up."""
    return frozenset(_NUMBER.findall(_SEPARATED.sub("", unicodedata.normalize("NFKC", text))))
