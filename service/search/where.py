"""Filters as people write them (`colour=blue`, `price=10..50`, `brand=acme|orbit`) into the Where tree of the stores.

    filter     either
    either     both {"or" both}
    both       one {"and" one}
    one        "not" one | "(" either ")" | FIELD OPERATOR value {"|" value}
    value      "quoted" | 'quoted' | FROM..TO of numbers and dates, either end may be left out | text

A value that begins with a " has another at its end; an apostrophe may begin one by itself: 'n sync.
Text without quotes ends where its group does, or before an "and" or "or" that another condition follows, so that
`material=cotton and wool` is one value.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, Where
from indexer.errors import BadFilter
from service.search.field_names import ALIASES, field_named

MAX_LENGTH = 2_000
"""Characters of a filter."""
MAX_DEPTH = 10
"""Groups and nots within each other."""
EPOCH: Final = date(1970, 1, 1)
_SHOWN = 100
"""Characters of a filter that an error repeats."""

_OPERATOR = re.compile(r"[<>=!]+")
_MARK = re.compile(r"[|()]|\s(?:and|or)(?=[\s(])", re.IGNORECASE)
_QUOTED = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)')(?=\s*(?:$|[|)]|\s(?:and|or)[\s(]))""", re.IGNORECASE)
_WORDS = {word: re.compile(rf"\s*{word}(?=[\s(])", re.IGNORECASE) for word in ("and", "or", "not")}
_BEFORE_FIELD = re.compile(r"(?:\s|\(|not(?=[\s(]))*", re.IGNORECASE)
_NO_FIELD = re.compile(r"""[)|"']|\s(?:and|or)\s""", re.IGNORECASE)
_BLANKS = re.compile(r"\s*")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_ORDERED = (FieldType.NUMBER, FieldType.DATE)


def parse_where(filters: Sequence[str], fields: Mapping[str, FieldType]) -> Where | None:
    """All filters must hold. Raises BadFilter naming the field, what is allowed, and the place in a long filter."""
    terms = tuple(_Reader(text, fields).read() for text in filters)
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else AllOf(terms)


class _Reader:
    """Reads one filter from left to right; `_at` is the place of the next character."""

    def __init__(self, text: str, fields: Mapping[str, FieldType]) -> None:
        self._text = text
        self._fields = fields
        self._at = 0

    def read(self) -> Where:
        if len(self._text) > MAX_LENGTH:
            raise BadFilter(f"where: a filter has {MAX_LENGTH:,} characters at most, not {len(self._text):,}.")
        where = self._either(0)
        if self._at < len(self._text):
            raise self._refused("here should be and, or, or the end", self._at)
        return where

    def _either(self, depth: int) -> Where:
        terms = [self._both(depth)]
        while self._passed(_WORDS["or"]):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def _both(self, depth: int) -> Where:
        terms = [self._one(depth)]
        while self._passed(_WORDS["and"]):
            terms.append(self._one(depth))
        return terms[0] if len(terms) == 1 else AllOf(tuple(terms))

    def _one(self, depth: int) -> Where:
        self._passed(_BLANKS)
        if depth > MAX_DEPTH:
            raise self._refused(f"groups and nots go {MAX_DEPTH} deep at most", self._at)
        if not self._is_field(self._at):
            if self._text.startswith("(", self._at):
                return self._group(depth)
            if self._passed(_WORDS["not"]):
                return Not(self._one(depth + 1))
        return self._condition(inside=depth > 0)

    def _group(self, depth: int) -> Where:
        opened = self._at
        self._at += 1
        where = self._either(depth + 1)
        if not self._text.startswith(")", self._at):
            raise self._refused("this ( is not closed; put a value that has parentheses in quotes", opened)
        self._at += 1
        self._passed(_BLANKS)
        return where

    def _condition(self, inside: bool) -> Where:
        start, name = self._at, self._name(self._at)
        operator = _OPERATOR.search(self._text, start)
        self._at = len(self._text) if operator is None else self._end_of_value(operator.end(), inside)
        value = "" if operator is None else self._text[operator.end() : self._at].strip()
        if operator is None or not name or not value or operator.group() not in set(Op):
            piece = self._text[start : self._at].strip()
            raise self._refused(f"{piece!r} is not FIELD OPERATOR VALUE, e.g. colour=blue or price<50", start)
        try:
            known = field_named(name, self._fields)
            return _compared(known, Op(operator.group()), value, self._fields[known])
        except BadFilter as error:
            raise self._refused(str(error).rstrip("."), start) from None

    def _end_of_value(self, at: int, inside: bool) -> int:
        """Where the value that begins at `at` ends; `inside` a group a parenthesis may end it."""
        opened = 0
        while True:
            quoted = _QUOTED.match(self._text, at)
            for mark in _MARK.finditer(self._text, at if quoted is None else quoted.end()):
                match mark.group():
                    case "|":
                        at = mark.end()
                        break
                    case "(":
                        opened += 1
                    case ")" if opened:
                        opened -= 1
                    case ")" if inside:
                        return mark.start()
                    case word if word != ")" and not opened and self._is_condition(mark.end()):
                        return mark.start()
            else:
                return len(self._text)

    def _is_condition(self, at: int) -> bool:
        """Whether what follows an "and" or "or" is another condition, rather than more of a value."""
        if self._is_field(at):
            return True
        begin = _BEFORE_FIELD.match(self._text, at)
        name = self._name(at if begin is None else begin.end())
        return bool(name) and _NO_FIELD.search(name) is None

    def _is_field(self, at: int) -> bool:
        name = self._name(at).casefold()
        return name in self._fields or ALIASES.get(name) in self._fields

    def _name(self, at: int) -> str:
        """What is written before the next operator."""
        operator = _OPERATOR.search(self._text, at)
        return "" if operator is None else self._text[at : operator.start()].strip()

    def _passed(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern is next; then it is behind us."""
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found is not None

    def _refused(self, why: str, at: int) -> BadFilter:
        if at:
            why += f" (character {at + 1} of {self._text[:_SHOWN]!r})"
        return BadFilter(f"where: {why}" if why.endswith("?") else f"where: {why}.")


def _compared(name: str, op: Op, values: str, kind: FieldType) -> Where:
    if op is Op.NE:
        return Not(_compared(name, Op.EQ, values, kind))
    terms = tuple(_holds(name, op, value, is_quoted, kind) for value, is_quoted in _alternatives(values))
    return terms[0] if len(terms) == 1 else AnyOf(terms)


def _alternatives(values: str) -> list[tuple[str, bool]]:
    """Each value without its quotes, and whether it had some. Raises BadFilter for a quote without its end."""
    found, at = [], 0
    while at <= len(values):
        quoted = _QUOTED.match(values, at)
        end = values.find("|", at if quoted is None else quoted.end())
        end = len(values) if end < 0 else end
        if quoted is None and (rest := values[at:end].strip()).startswith('"') and '"' not in rest[1:]:
            raise BadFilter(f"the quote before {rest[1 : _SHOWN + 1]!r} has no end; put a second one behind the value")
        found.append((values[at:end].strip() if quoted is None else quoted[1] or quoted[2] or "", quoted is not None))
        at = end + 1
    return found


def _holds(name: str, op: Op, text: str, is_quoted: bool, kind: FieldType) -> Where:
    if kind in _ORDERED and ".." in text and not is_quoted:
        return _within(name, op, text, kind)
    return Condition(name, op, _value(name, op, text, kind))


def _within(name: str, op: Op, text: str, kind: FieldType) -> Where:
    """Both ends belong to the range."""
    low, _, high = (end.strip() for end in text.partition(".."))
    if op is not Op.EQ:
        raise BadFilter(f"{name}: a range goes with = or !=, not with {op}.")
    ends = [(sign, _ordered(name, end, kind)) for sign, end in ((Op.GE, low), (Op.LE, high)) if end]
    if not ends:
        raise BadFilter(f"{name}: the range {text!r} has no end; write 10..50, 10.. or ..50.")
    if ends[0][1] > ends[-1][1]:
        raise BadFilter(f"{name}: the range {text!r} ends before it begins.")
    terms = tuple(Condition(name, sign, end) for sign, end in ends)
    return terms[0] if len(terms) == 1 else AllOf(terms)


def _value(name: str, op: Op, text: str, kind: FieldType) -> str | float | bool:
    if kind in _ORDERED:
        return _ordered(name, text, kind)
    if op is not Op.EQ:
        raise BadFilter(f"{name} has no order; use = or !=.")
    if kind is FieldType.FLAG:
        if text.casefold() not in _FLAGS:
            raise BadFilter(f"{name} is true or false, not {text!r}.")
        return _FLAGS[text.casefold()]
    return text.casefold()


def _ordered(name: str, text: str, kind: FieldType) -> float:
    """A number, or a date as days since 1970-01-01."""
    if kind is FieldType.DATE:
        try:
            return float((date.fromisoformat(text) - EPOCH).days)
        except ValueError:
            raise BadFilter(f"{name} is a date like 2026-01-31, {text!r} is not.") from None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadFilter(f"{name} is a number, {text!r} is not.")
    return number
