"""What a filter must satisfy before any store sees it, so that all stores refuse the same filters."""

import math
from collections.abc import Mapping
from typing import Final

from indexer.domain import AllOf, AnyOf, Condition, FieldType, Not, Op, Where
from indexer.errors import BadFilter

ORDERING: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
EXPECTED: Final = {
    FieldType.KEYWORD: "a word",
    FieldType.NUMBER: "a finite number",
    FieldType.DATE: "a number of days",
    FieldType.FLAG: "true or false",
}


def check(where: Where, fields: Mapping[str, FieldType]) -> None:
    """Raises BadFilter for an unknown field (naming the known ones), an operator or a value the field cannot have."""
    match where:
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                check(term, fields)
        case Not(term):
            check(term, fields)
        case Condition():
            _check_condition(where, fields)


def _check_condition(condition: Condition, fields: Mapping[str, FieldType]) -> None:
    kind = fields.get(condition.field)
    if kind is None:
        known = ", ".join(sorted(fields)) or "none"
        raise BadFilter(f"Unknown filter field {condition.field!r}; known fields: {known}.")
    if condition.op in ORDERING and kind not in (FieldType.NUMBER, FieldType.DATE):
        raise BadFilter(f"{condition.field!r} is not a number, so {condition.op} does not apply; use = or !=.")
    if not fits(condition.value, kind):
        raise BadFilter(f"{condition.field!r} is compared with {EXPECTED[kind]}, not with {condition.value!r}.")


def fits(value: object, kind: FieldType) -> bool:
    """Whether a single value is of the field's type; True is a flag and never a number."""
    match kind:
        case FieldType.KEYWORD:
            return isinstance(value, str)
        case FieldType.FLAG:
            return isinstance(value, bool)
        case FieldType.NUMBER | FieldType.DATE:
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
