"""What the candidates of a search are like, counted: over what was found, not over all that there is."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from indexer.domain import BuildManifest, FieldType, Frozen, PayloadValue
from service.changes import COLOUR
from service.search.field_names import field_named

Payload = Mapping[str, PayloadValue]

MAX_VALUES = 20
MOST_DEFAULTS = 8
"""Fields counted when none are named."""
_WIDEST = 60
"""Values up to which a field of the catalogue's own makes a default facet."""
_BUCKETS = 5
_EPOCH: Final = date(1970, 1, 1)
_NOT_COUNTED = frozenset({"parent", "guessed", "palette", "availability", "has_image"})
"""Fixed fields that tell a shopper nothing, or what another one tells better."""


class FacetValue(Frozen):
    """A value as filters take it, and how many candidates have it; `guessed` of those were tagged from their photos."""

    value: str | bool
    count: int
    guessed: int = 0


class FacetRange(Frozen):
    """Candidates with low <= value < high; None is open."""

    low: float | date | None
    high: float | date | None
    count: int


class Facet(Frozen):
    """One field over the candidate set, which is not the whole catalogue: a deeper search has more of everything."""

    field: str
    type: FieldType
    candidates: int
    """Products that were counted."""
    missing: int
    """Those without the field."""
    values: tuple[FacetValue, ...] = ()
    """Of keywords and flags, most frequent first."""
    distinct: int = 0
    """Values there are; `values` may have fewer."""
    min: float | date | None = None
    max: float | date | None = None
    ranges: tuple[FacetRange, ...] = ()
    """Of numbers and dates: about equally full, between round bounds."""


def count_facets(
    payloads: Sequence[Payload], asked: Sequence[str], fields: Mapping[str, FieldType], *, limit: int = MAX_VALUES
) -> list[Facet]:
    """One facet per field asked for, in that order, over one payload per product.

    Raises BadFilter for a field that the catalogue does not have.
    """
    names = dict.fromkeys(field_named(name, fields, "facets") for name in asked)
    tagged = [payload for payload in payloads if payload.get("guessed")]
    return [_facet(name, fields[name], payloads, tagged, limit) for name in names]


def default_facets(manifest: BuildManifest) -> tuple[str, ...]:
    """Colour, category, brand, price, stock, and what else the catalogue says of most products in few words."""
    fields, vocabulary = manifest.fields, manifest.vocabulary
    first = [COLOUR if COLOUR in fields else "palette", "category", "brand", "price", "in_stock"]
    told = [name for name in fields if 2 <= len(vocabulary.get(name, ())) <= _WIDEST and name not in _NOT_COUNTED]
    chosen = dict.fromkeys([*(name for name in first if name in fields), *told])
    return tuple(chosen)[:MOST_DEFAULTS]


def _facet(name: str, kind: FieldType, payloads: Sequence[Payload], tagged: Sequence[Payload], limit: int) -> Facet:
    """`tagged`: those that have any guessed field."""
    given = [payload for payload in payloads if name in payload]
    missing = len(payloads) - len(given)
    if kind in (FieldType.KEYWORD, FieldType.FLAG):
        counts = Counter(_values(name, given))
        guessed = Counter(_values(name, [one for one in tagged if name in _guessed(one) and name in one]))
        first = sorted(counts, key=lambda value: (-counts[value], value))[:limit]
        return Facet(
            field=name,
            type=kind,
            candidates=len(payloads),
            missing=missing,
            values=tuple(FacetValue(value=one, count=counts[one], guessed=guessed[one]) for one in first),
            distinct=len(counts),
        )
    numbers = sorted(float(value) for payload in given if isinstance(value := payload[name], int | float))
    if not numbers:
        return Facet(field=name, type=kind, candidates=len(payloads), missing=missing)
    dated = kind is FieldType.DATE
    return Facet(
        field=name,
        type=kind,
        candidates=len(payloads),
        missing=missing,
        distinct=len(set(numbers)),
        min=_shown(numbers[0], dated),
        max=_shown(numbers[-1], dated),
        ranges=_ranges(numbers, dated),
    )


def _values(name: str, payloads: Iterable[Payload]) -> Iterator[str | bool]:
    """Each value of each product once."""
    for payload in payloads:
        value = payload[name]
        if isinstance(value, list):
            yield from value if len(value) == 1 else _distinct(name, value)
        elif isinstance(value, str | bool):
            yield value


def _distinct(name: str, values: Sequence[str]) -> Iterable[str]:
    return _paths(tuple(values)) if name == "category" else dict.fromkeys(values)


@lru_cache(maxsize=4_096)
def _paths(levels: tuple[str, ...]) -> tuple[str, ...]:
    """Of categories, whose levels are kept alone too, those written as paths from the root: `men`, `men/tops`."""
    return tuple(
        one
        for one in dict.fromkeys(levels)
        if any(one.startswith(f"{other}/") or other.startswith(f"{one}/") for other in levels)
    )


def _guessed(payload: Payload) -> Sequence[str]:
    names = payload["guessed"]
    return names if isinstance(names, list) else (str(names),)


def _ranges(numbers: Sequence[float], dated: bool) -> tuple[FacetRange, ...]:
    """`numbers` ascending. Bounds are quantiles as round as keeps them apart; a range nobody is in is joined."""
    quantiles = sorted({numbers[len(numbers) * part // _BUCKETS] for part in range(1, _BUCKETS)})
    roundings = _ROUND_DATES if dated else _ROUND_NUMBERS
    rounded = (sorted({round_off(one) for one in quantiles}) for round_off in roundings)
    bounds = next((one for one in rounded if len(one) == len(quantiles)), quantiles)
    ranges: list[FacetRange] = []
    low: float | None = None
    done = 0
    for high in bounds:
        below = bisect_left(numbers, high)
        if done < below < len(numbers):
            ranges.append(FacetRange(low=_bound(low, dated), high=_shown(high, dated), count=below - done))
            low, done = high, below
    return (*ranges, FacetRange(low=_bound(low, dated), high=None, count=len(numbers) - done))


def _bound(value: float | None, dated: bool) -> float | date | None:
    return None if value is None else _shown(value, dated)


def _shown(value: float, dated: bool) -> float | date:
    return _EPOCH + timedelta(days=math.floor(value)) if dated else value


def _to_digits(digits: int) -> Callable[[float], float]:
    return lambda number: float(f"{number:.{digits - 1}e}")


def _to_year(days: float) -> float:
    return float(((_EPOCH + timedelta(days=days)).replace(month=1, day=1) - _EPOCH).days)


def _to_month(days: float) -> float:
    return float(((_EPOCH + timedelta(days=days)).replace(day=1) - _EPOCH).days)


_ROUND_NUMBERS: Final = tuple(_to_digits(digits) for digits in range(1, 7))
_ROUND_DATES: Final = (_to_year, _to_month)
