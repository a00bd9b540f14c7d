"""Filters as people write them (`colour=blue`, `price<50`, `brand=acme|orbit`) into the Where tree of the stores."""

import math
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, Where
from indexer.errors import BadFilter

_SHAPE = re.compile(r"([^<>=!]+)([<>=!]+)(.+)", re.DOTALL)
_ALIASES = {"color": "colour"}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_where(filters: Sequence[str], fields: Mapping[str, FieldType]) -> Where | None:
    """All filters must hold; `a|b` means either value. Raises BadFilter naming the field and what is allowed."""
    terms = tuple(_term(text, fields) for text in filters)
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else AllOf(terms)


def _term(text: str, fields: Mapping[str, FieldType]) -> Where:
    match = _SHAPE.fullmatch(text)
    name, sign, value = (part.strip() for part in match.groups()) if match is not None else ("", "", "")
    if not name or not value or sign not in set(Op):
        raise BadFilter(f"where: {text!r} is not FIELD OPERATOR VALUE, e.g. colour=blue or price<50.")
    name, op = name.casefold(), Op(sign)
    name = _ALIASES.get(name, name) if name not in fields else name
    if name not in fields:
        near = get_close_matches(name, fields, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise BadFilter(f"where: no field {name!r}; fields are {', '.join(sorted(fields))}.{hint}")
    if op is Op.NE:
        return Not(_either(name, Op.EQ, value, fields[name]))
    return _either(name, op, value, fields[name])


def _either(name: str, op: Op, value: str, kind: FieldType) -> Where:
    terms = tuple(Condition(name, op, _value(name, op, one.strip(), kind)) for one in value.split("|"))
    return terms[0] if len(terms) == 1 else AnyOf(terms)


def _value(name: str, op: Op, text: str, kind: FieldType) -> str | float | bool:
    if kind is FieldType.NUMBER:
        return _number(name, text)
    if op is not Op.EQ:
        raise BadFilter(f"where: {name} has no order; use = or !=.")
    if kind is FieldType.FLAG:
        if text.casefold() not in _FLAGS:
            raise BadFilter(f"where: {name} is true or false, not {text!r}.")
        return _FLAGS[text.casefold()]
    return text.casefold()


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadFilter(f"where: {name} is a number, {text!r} is not.")
    return number
