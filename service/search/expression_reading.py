"""Reading boost expressions: `0.3*in_stock + 0.2*log(rating + 1) + 0.1*recency(added, 30) - 0.5*(brand = "acme")`.

    sum        product {("+" | "-") product}
    product    factor {("*" | "/") factor}
    factor     "-" factor | NUMBER | FIELD | FUNCTION "(" sum {"," sum} ")" | "(" sum ")" | "(" filter ")"

A field whose name is no single word is put in backticks. What stands for a filter is said in `service.search.where`.
"""

import math
import re
from collections.abc import Mapping

from indexer.domain import FieldType
from indexer.errors import BadExpression, BadFilter
from service.search.expressions import (
    FUNCTIONS,
    INVERSE,
    NEGATIVE,
    PLUS,
    TIMES,
    Apply,
    Default,
    Expression,
    Field,
    Holds,
    Node,
    Number,
    Recency,
)
from service.search.field_names import field_named
from service.search.where import parse_where

MAX_LENGTH = 500
"""Characters of an expression."""
MAX_DEPTH = 20
"""Parentheses, functions and signs within each other."""
RECENCY = "recency"
MISSING = "missing"

_NUMBER = r"(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)"
_TOKEN = re.compile(rf"\s*(?:{_NUMBER}|([^\W\d]\w*)|`([^`]+)`|([-+*/(),]))", re.IGNORECASE)
"""A number, a name, a name in backticks, or a sign."""
_STRING = re.compile(r""""[^"]*"|'[^']*'|`[^`]*`""")
_CONDITION = re.compile(r"[<>=!]|\b(?:and|or|not)\b", re.IGNORECASE)
_SCALARS = (FieldType.NUMBER, FieldType.DATE, FieldType.FLAG)


def parse_expression(text: str, fields: Mapping[str, FieldType]) -> Expression:
    """Raises BadExpression naming the place, the field or function that is wrong and those there are."""
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"expression: it has {MAX_LENGTH} characters at most, not {len(text)}.")
    return Expression(_Reader(text, fields).read())


class _Reader:
    """Reads from left to right; `_at` is the place of the next character."""

    def __init__(self, text: str, fields: Mapping[str, FieldType]) -> None:
        self._text = text
        self._fields = fields
        self._at = 0

    def read(self) -> tuple[Node, ...]:
        parts = self._parts(0)
        if self._text[self._at :].strip():
            raise self._refused("here should be an operator (+ - * /) or the end")
        return parts

    def _parts(self, depth: int) -> tuple[Node, ...]:
        """The parts of a sum, those behind a minus negative."""
        parts = [self._product(depth)]
        while sign := self._took("+", "-"):
            part = self._product(depth)
            parts.append(part if sign == "+" else Apply(NEGATIVE, (part,)))
        return tuple(parts)

    def _sum(self, depth: int) -> Node:
        parts = self._parts(depth)
        return parts[0] if len(parts) == 1 else Apply(PLUS, parts)

    def _product(self, depth: int) -> Node:
        factors = [self._factor(depth)]
        while operator := self._took("*", "/"):
            factor = self._factor(depth)
            factors.append(factor if operator == "*" else Apply(INVERSE, (factor,)))
        return factors[0] if len(factors) == 1 else Apply(TIMES, tuple(factors))

    def _factor(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._refused(f"parts go {MAX_DEPTH} deep at most")
        if self._took("-"):
            return Apply(NEGATIVE, (self._factor(depth + 1),))
        if self._took("("):
            return self._inside(depth + 1)
        start, token = self._at, _TOKEN.match(self._text, self._at)
        if token is None or token[4]:
            raise self._refused("here should be a number, a field, a function or a parenthesis")
        self._at = token.end()
        if token[1]:
            return self._checked(float(token[1]), start)
        if token[2] and self._took("("):
            return self._call(token[2].casefold(), start, depth + 1)
        return Field(self._field(token[2] or token[3], start, *_SCALARS))

    def _inside(self, depth: int) -> Node:
        """A condition or a sum, behind its opening parenthesis."""
        start, end = self._at, self._closing(self._at)
        inside = self._text[start:end]
        if _CONDITION.search(_outermost(inside)) is None:
            node = self._sum(depth)
            self._expect(")")
            return node
        try:
            where = parse_where([inside], self._fields)
        except BadFilter as error:
            raise self._refused(str(error).removeprefix("where: ").rstrip("."), start) from None
        self._at = end + 1
        if where is None:
            raise self._refused("this condition is empty", start)
        return Holds(where)

    def _call(self, name: str, start: int, depth: int) -> Node:
        if name == RECENCY:
            field, half_life = self._field_and_number(FieldType.DATE)
            if half_life <= 0:
                raise self._refused("recency takes a date and its half-life in days, a number above 0", start)
            return Recency(field, half_life)
        if name == MISSING:
            return Default(*self._field_and_number(*_SCALARS))
        if name not in FUNCTIONS:
            known = ", ".join(sorted([*FUNCTIONS, RECENCY, MISSING]))
            raise self._refused(f"no function {name!r}; functions are {known}", start)
        arguments = [self._sum(depth)]
        while self._took(","):
            arguments.append(self._sum(depth))
        self._expect(")")
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            takes = str(least) if least == most else f"{least} to {most}"
            raise self._refused(f"{name} takes {takes} values, not {len(arguments)}", start)
        return Apply(name, tuple(arguments))

    def _field_and_number(self, *kinds: FieldType) -> tuple[str, float]:
        start, token = self._at, _TOKEN.match(self._text, self._at)
        if token is None or not (token[2] or token[3]):
            raise self._refused("here should be a field")
        self._at = token.end()
        field = self._field(token[2] or token[3], start, *kinds)
        self._expect(",")
        sign = -1.0 if self._took("-") else 1.0
        number = _TOKEN.match(self._text, self._at)
        if number is None or not number[1]:
            raise self._refused("here should be a number")
        start, self._at = self._at, number.end()
        self._expect(")")
        return field, sign * self._checked(float(number[1]), start).value

    def _field(self, name: str, start: int, *kinds: FieldType) -> str:
        try:
            known = field_named(name, self._fields)
        except BadFilter as error:
            raise self._refused(str(error).rstrip("."), start) from None
        if self._fields[known] not in kinds:
            allowed = ", ".join(sorted(field for field, kind in self._fields.items() if kind in kinds)) or "none"
            hint = f'; compare it, e.g. ({known} = "…")' if self._fields[known] is FieldType.KEYWORD else ""
            raise self._refused(f"{known} is a {self._fields[known]}{hint}; what can stand here: {allowed}", start)
        return known

    def _checked(self, number: float, start: int) -> Number:
        if not math.isfinite(number):
            raise self._refused("this number is too large", start)
        return Number(number)

    def _closing(self, at: int) -> int:
        """The place of the parenthesis that closes the one before `at`."""
        depth = 1
        for place, char in enumerate(_without_strings(self._text)[at:], at):
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return place
        raise self._refused("this ( is not closed", at - 1)

    def _took(self, *signs: str) -> str:
        """The sign that is next and is now behind us, or ''."""
        token = _TOKEN.match(self._text, self._at)
        if token is None or token[4] not in signs:
            return ""
        self._at = token.end()
        return token[4]

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self._refused(f"here should be {sign}")

    def _refused(self, why: str, at: int | None = None) -> BadExpression:
        place = self._at if at is None else at
        return BadExpression(f"expression: {why} (character {place + 1} of {self._text!r}).")


def _without_strings(text: str) -> str:
    """As long as before, with blanks for what is in quotes."""
    return _STRING.sub(lambda quoted: " " * len(quoted[0]), text)


def _outermost(text: str) -> str:
    """What is in no quotes and no parentheses of its own."""
    depth, kept = 0, []
    for char in _without_strings(text):
        depth -= char == ")"
        kept.append(char if depth == 0 else " ")
        depth += char == "("
    return "".join(kept)
