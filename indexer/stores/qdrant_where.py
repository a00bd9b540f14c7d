"""Vitrine's filters in the words of a Qdrant server; `edge_where` says the same to the embedded engine."""

from collections.abc import Mapping

from qdrant_client.models import FieldCondition, Filter, HasIdCondition, MatchValue, Range

from indexer.domain import AllOf, AnyOf, Condition, Not, Op, Where
from indexer.stores.points import flag

Translated = Filter | FieldCondition | HasIdCondition


def translate(where: Where, keys: Mapping[str, str]) -> Translated:
    """`keys` are the payload keys of the fields; the filter was checked against the fields.

    A field that a point lacks satisfies no match and no range, and `must_not` holds for it: the seam's meaning.
    """
    match where:
        case AllOf(terms):
            return Filter(must=[translate(term, keys) for term in terms])
        case AnyOf(()):
            return HasIdCondition(has_id=[])  # the server takes an empty `should` for no condition at all
        case AnyOf(terms):
            return Filter(should=[translate(term, keys) for term in terms])
        case Not(term):
            return Filter(must_not=[translate(term, keys)])
        case Condition(field, Op.NE, value):
            return Filter(must_not=[_condition(keys[field], Op.EQ, value)])
        case Condition(field, op, value):
            return _condition(keys[field], op, value)


def _condition(key: str, op: Op, value: str | float | bool) -> FieldCondition:
    if isinstance(value, bool):
        return FieldCondition(key=key, match=MatchValue(value=flag(value)))
    if isinstance(value, str):
        return FieldCondition(key=key, match=MatchValue(value=value))
    number = float(value)
    return FieldCondition(
        key=key,
        range=Range(
            gte=number if op in (Op.EQ, Op.GE) else None,
            gt=number if op is Op.GT else None,
            lte=number if op in (Op.EQ, Op.LE) else None,
            lt=number if op is Op.LT else None,
        ),
    )
