"""Relevant results in another order: by price, newness, or any field of numbers or dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.domain import FieldType
from indexer.errors import BadFilter
from service.search.field_names import field_named
from service.search.grouping import Group

SORTABLE = 200
"""Groups in the order of relevance that are sorted; what is less relevant than these is left out of a sorted list."""
NEWEST = "newest"
DATES = ("added", "created", "created_at", "date_added", "released", "published_at")
"""The fields that `newest` means, the first of them that the catalogue has."""


@dataclass(frozen=True, slots=True)
class Sort:
    field: str
    descending: bool


def parse_sort(text: str, fields: Mapping[str, FieldType]) -> Sort:
    """`FIELD` ascends, `-FIELD` descends, `newest` is the last added first.

    Raises BadFilter naming what the catalogue can be sorted by.
    """
    ordered = [name for name, kind in fields.items() if kind in (FieldType.NUMBER, FieldType.DATE)]
    wanted = text.strip()
    if wanted.casefold() == NEWEST:
        date = next((name for name in DATES if fields.get(name) is FieldType.DATE), None)
        if date is None:
            raise BadFilter(
                f"sort: the catalogue has none of the dates that {NEWEST!r} goes by ({', '.join(DATES)}); "
                f"allowed are {', '.join(sorted(ordered))}."
            )
        return Sort(date, descending=True)
    return Sort(field_named(wanted.removeprefix("-"), ordered, "sort"), descending=wanted.startswith("-"))


def sort_groups(groups: Sequence[Group], sort: Sort) -> list[Group]:
    """By the products shown; those without the field come last either way, equal ones keep the order of relevance."""
    valued = [(value, group) for group in groups if (value := _value(group, sort.field)) is not None]
    missing = [group for group in groups if _value(group, sort.field) is None]
    ordered = sorted(valued, key=lambda one: one[0], reverse=sort.descending)
    return [*(group for _, group in ordered), *missing]


def _value(group: Group, field: str) -> float | None:
    value = group.shown.payload.get(field)
    return float(value) if isinstance(value, int | float) else None
