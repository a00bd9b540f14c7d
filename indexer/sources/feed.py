"""A Google Merchant Center feed as XML: the items of RSS or Atom, one at a time.

What a hostile file could do is refused: a document type (with its entities), nesting without end, a tag without end.
A byte that is not of the encoding, or a control character, costs its item only.
"""

import codecs
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO
from xml.parsers import expat

from indexer.errors import EmptySource, SourceError
from indexer.places import Place
from indexer.sources.google import attribute_of, feed_row, kept_attributes
from indexer.sources.rows import ROW_LIMIT, BrokenRow, RawRow
from indexer.sources.streams import opened

_GOOGLE = frozenset({"http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0"})
_ATOM = "http://www.w3.org/2005/Atom"
_FEED = frozenset({"", _ATOM, "http://purl.org/rss/1.0/"})
_ITEMS = frozenset({"item", "entry"})
_NESTED = frozenset({"product_detail", "structured_title", "structured_description"})
"""Attributes that are objects; the elements in any other one are its markup."""
_SAMPLE = 1000
"""Items whose attributes make the columns that the report names."""
_CHUNK = 1 << 16
_DEPTH = 32
_ENCODINGS = frozenset(
    {"utf-8", "utf-16", "ascii", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252"}
)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding=["']([A-Za-z0-9._-]{1,40})["']""")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARK = "\U0010fffd"
"""Stands for what XML may not contain, so that the parser goes on and the item is known as broken."""


class Feed:
    def __init__(self, place: Place, keep: Collection[str] = ()) -> None:
        """Raises EmptySource without an item, SourceError for what is not XML. `keep`: attributes to keep anyway."""
        self._place = place
        self._keep = frozenset(keep)
        names: dict[str, None] = {}
        empty = True
        for item in islice(self._items(), _SAMPLE):
            empty = False
            names.update(dict.fromkeys(item.cells if isinstance(item, RawRow) else ()))
        if empty:
            raise EmptySource(f"{place} has no <item> or <entry>.")
        self.columns = kept_attributes(list(names), self._keep)

    def rows(self) -> Iterator[RawRow | BrokenRow]:
        for item in self._items():
            yield item if isinstance(item, BrokenRow) else feed_row(item.line, item.cells, self._keep)

    def _items(self) -> Iterator[RawRow | BrokenRow]:
        items = _Items()
        with opened(self._place) as stream:
            try:
                for text in _decoded(stream):
                    items.feed(text)
                    yield from items.taken()
                items.end()
            except expat.ExpatError as error:
                reason = expat.errors.messages[error.code]
                raise SourceError(f"{self._place} is not well-formed XML: line {error.lineno}: {reason}.") from error
            except (_Refused, UnicodeError) as error:
                raise SourceError(f"{self._place}: line {items.line}: {error}.") from error
        yield from items.taken()


class _Refused(Exception):
    """A file that is not read on; the message is the reason."""


@dataclass
class _Element:
    """An element within an item that is open. `name` is '' for one that says nothing about a product."""

    name: str
    google: bool
    texts: list[str] = field(default_factory=list)
    members: dict[str, object] = field(default_factory=dict)

    def take(self, inner: "_Element") -> None:
        """An element in this one: a member of an object, markup of a text."""
        self.members.setdefault(inner.name, "".join(inner.texts))
        self.texts.extend(("\n", *inner.texts, "\n"))

    def value(self) -> object:
        return self.members if self.members and self.name in _NESTED else "".join(self.texts)


@dataclass
class _Item:
    """An item that is open, and the elements that are open in it, the innermost last."""

    line: int
    open: list[_Element] = field(default_factory=list)
    size: int = 0
    broken: str = ""
    plain: dict[str, list[object]] = field(default_factory=dict)
    google: dict[str, list[object]] = field(default_factory=dict)

    def grow(self, size: int) -> None:
        self.size += size
        if self.size > ROW_LIMIT:
            self.broken = f"an item of more than {ROW_LIMIT:,} characters"

    def add(self, text: str) -> None:
        self.grow(len(text))
        if _MARK in text:
            self.broken = self.broken or "bytes that are not of the file's encoding, or control characters"
        elif self.open and not self.broken:
            self.open[-1].texts.append(text)

    def close(self) -> None:
        """The innermost element ends."""
        ended = self.open.pop()
        if self.open:
            self.open[-1].take(ended)
        elif ended.name and not self.broken:
            (self.google if ended.google else self.plain).setdefault(ended.name, []).append(ended.value())

    def row(self) -> RawRow | BrokenRow:
        """Google's attributes win over RSS's and Atom's of the same name."""
        if self.broken:
            return BrokenRow(self.line, self.broken)
        cells = {**self.plain, **self.google}
        return RawRow(self.line, {name: values[0] if len(values) == 1 else values for name, values in cells.items()})


class _Items:
    """Makes rows of a document that is fed to it in pieces."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate("utf-8", " ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._fed = 0
        self._depth = 0
        self._item: _Item | None = None
        self._rows: list[RawRow | BrokenRow] = []

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    def feed(self, text: str) -> None:
        content = text.encode()
        self._parser.Parse(content, False)
        self._fed += len(content)
        if self._fed - self._parser.CurrentByteIndex > ROW_LIMIT:
            raise _Refused(f"a tag or comment of more than {ROW_LIMIT:,} bytes")

    def end(self) -> None:
        self._parser.Parse(b"", True)

    def taken(self) -> list[RawRow | BrokenRow]:
        """The rows made since they were last taken."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _Refused(f"elements nested more than {_DEPTH} deep")
        space, _, name = tag.rpartition(" ")
        if self._item is None:
            self._item = _Item(self.line) if name in _ITEMS and space in _FEED else None
            return
        self._item.grow(len(tag))
        known = space in _FEED or space in _GOOGLE
        self._item.open.append(_Element(attribute_of(name) if known else "", space in _GOOGLE))
        if space == _ATOM and name == "link" and attributes.get("rel", "alternate") == "alternate":
            self._item.add(attributes.get("href", ""))

    def _text(self, text: str) -> None:
        if self._item is not None:
            self._item.add(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._item is not None and self._item.open:
            self._item.close()
        elif self._item is not None:
            self._rows.append(self._item.row())
            self._item = None


def _refuse_doctype(name: str, system: str | None, public: str | None, has_internal: bool) -> None:
    raise _Refused("a document type; a feed needs none, and its entities could be harmful")


def _decoded(stream: BinaryIO) -> Iterator[str]:
    """In pieces, what XML may not contain replaced by the mark. Raises _Refused for an unknown encoding."""
    head = stream.read(_CHUNK)
    decoder = codecs.getincrementaldecoder(_encoding(head))("surrogateescape")
    first = decoder.decode(head).removeprefix("\ufeff")
    while head:
        yield _ILLEGAL.sub(_MARK, first)
        head = stream.read(_CHUNK)
        first = decoder.decode(head)
    yield _ILLEGAL.sub(_MARK, decoder.decode(b"", True))


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    declared = _DECLARED.search(head[:1024])
    named = declared[1].decode() if declared else "utf-8"
    try:
        encoding = codecs.lookup(named).name
    except LookupError:
        encoding = ""
    if encoding not in _ENCODINGS or (encoding == "utf-16"):
        raise _Refused(f"the encoding {named!r} is not supported; save the feed as UTF-8")
    return encoding
