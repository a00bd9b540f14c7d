"""What narrows a search: what was understood, the filters that hold, and those that are offered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from indexer.domain import BuildManifest, Condition, FieldType, Op
from service.changes import COLOUR
from service.search.answer import Answer
from service.search.facets import Facet, FacetRange, FacetValue
from service.search.sorting import DATES, NEWEST
from service.search.understanding import Chip
from service.search.understanding.chips import written
from service.web.window.address import PRICE, Address
from service.web.window.colours import PALETTE, swatch_of

CATEGORY: Final = "category"
IN_STOCK: Final = "in_stock"
_CONDITION: Final = re.compile(r"\s*([\w -]+?)\s*(<=|>=|!=|=|<|>)\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class Held:
    """A filter that holds, as its parts, and the address without it; `field` is '' for one that is more than a field
    and a value, told as it is written."""

    field: str
    sign: str
    value: str
    swatch: str | None
    url: str


@dataclass(frozen=True)
class Understanding:
    """What the words were understood as, and the address that takes it back."""

    chip: Chip
    swatch: str | None
    url: str
    held: Held | None
    """The filter that was read out of them."""


@dataclass(frozen=True)
class Choice:
    """`value` is a filter's value, or empty with `low` and `high`, either of which may be open."""

    value: str
    count: int
    url: str
    swatch: str | None = None
    low: float | date | None = None
    high: float | date | None = None
    depth: int = 0
    """Of a category, how many others it is within."""


@dataclass(frozen=True)
class Refinement:
    """A field with what one can choose of it."""

    field: str
    choices: tuple[Choice, ...]
    swatched: bool
    guessed: bool
    """Some of it was taken from photos."""


@dataclass(frozen=True)
class Prices:
    """The range there is among what was found, and what the form says now."""

    low: float
    high: float
    least: str
    most: str
    currency: str | None


@dataclass(frozen=True)
class Refining:
    understood: tuple[Understanding, ...]
    ignored: tuple[tuple[str, str], ...]
    """What is not to be understood, and the address that heeds it again."""
    held: tuple[Held, ...]
    offered: tuple[Refinement, ...]
    prices: Prices | None
    in_stock: Choice | None
    sorts: tuple[tuple[str, str, bool], ...]
    """Name, address, and whether it is the order now."""

    @property
    def narrows(self) -> bool:
        """Whether there is anything to choose."""
        return bool(self.offered or self.prices or self.in_stock)


def refining_of(answer: Answer, address: Address, manifest: BuildManifest) -> Refining:
    facets = {one.field: one for one in answer.facets}
    currency = next((one.currency for one in answer.results if one.currency), None)
    return Refining(
        understood=tuple(_understood(chip, address) for chip in answer.chips),
        ignored=tuple((one.partition(":")[2] or one, address.heeding(one).url) for one in address.ignore),
        held=tuple(held_of(one, address) for one in address.where),
        offered=tuple(_offered(one, address) for one in answer.facets if _is_choice(one)),
        prices=_prices(facets.get(PRICE), address, currency),
        in_stock=_in_stock(facets.get(IN_STOCK), address),
        sorts=_sorts(address, manifest),
    )


def held_of(condition: str, address: Address) -> Held:
    url = address.widened(condition).url
    parts = _CONDITION.fullmatch(condition)
    if parts is None or re.search(r"\s(?:and|or)\s", condition):
        return Held("", "", condition, None, url)
    field, sign, value = parts.groups()
    value = value.strip("\"'")
    return Held(field, sign, value, swatch_of(value) if field in (COLOUR, PALETTE) else None, url)


def _understood(chip: Chip, address: Address) -> Understanding:
    """What was said not to be wanted is taken back where it was said."""
    said = [one for one in address.without if chip.kind == "without" and one.casefold() == chip.text.casefold()]
    url = address.wanting(said[0]).url if said else address.ignoring(chip.id).url
    swatch = swatch_of(chip.value or "") if chip.field in (COLOUR, PALETTE) else None
    held = held_of(chip.where, address) if chip.kind == "filter" and chip.where else None
    return Understanding(chip, swatch, url, held)


def _is_choice(facet: Facet) -> bool:
    """Whether choosing something of it leaves something else out."""
    if facet.field in (PRICE, IN_STOCK):
        return False
    several = len(facet.values) > 1 or len(facet.ranges) > 1
    return several or any(one.count < facet.candidates for one in facet.values)


def _offered(facet: Facet, address: Address) -> Refinement:
    swatched = facet.field in (COLOUR, PALETTE)
    values = (
        Choice(
            _shown(one.value),
            one.count,
            address.narrowed(_condition(facet.field, one.value)).url,
            swatch_of(str(one.value)) if swatched else None,
            depth=str(one.value).count("/") if facet.field == CATEGORY else 0,
        )
        for one in (_as_tree(facet.values) if facet.field == CATEGORY else facet.values)
        if _condition(facet.field, one.value) not in address.where
    )
    ranges = (
        Choice("", one.count, address.narrowed(_within(facet.field, one)).url, low=one.low, high=one.high)
        for one in facet.ranges
    )
    return Refinement(facet.field, (*values, *ranges), swatched, any(one.guessed for one in facet.values))


def _as_tree(values: Sequence[FacetValue]) -> list[FacetValue]:
    """What is within a category behind it, else the most frequent first."""
    counts = {str(one.value): one.count for one in values}

    def place(one: FacetValue) -> list[tuple[int, str]]:
        levels = str(one.value).split("/")
        paths = ["/".join(levels[: depth + 1]) for depth in range(len(levels))]
        return [(-counts.get(path, 0), path) for path in paths]

    return sorted(values, key=place)


def _condition(field: str, value: str | bool) -> str:
    return written((Condition(field, Op.EQ, str(value).lower() if isinstance(value, bool) else value),))


def _shown(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _within(field: str, part: FacetRange) -> str:
    ends = (("" if part.low is None else f"{field}>={part.low}"), ("" if part.high is None else f"{field}<{part.high}"))
    return " and ".join(one for one in ends if one)


def _prices(facet: Facet | None, address: Address, currency: str | None) -> Prices | None:
    if facet is None or facet.type is not FieldType.NUMBER:
        return None
    if not isinstance(facet.min, float | int) or not isinstance(facet.max, float | int):
        return None
    said = _price_form(address.where)
    return Prices(float(facet.min), float(facet.max), said.get(">=", ""), said.get("<=", ""), currency)


def _price_form(where: Sequence[str]) -> Mapping[str, str]:
    """Sign → amount, of the filters that the form could have sent."""
    parts = (_CONDITION.fullmatch(one) for one in where)
    return {one[2]: one[3] for one in parts if one is not None and one[1] == PRICE and one[2] in (">=", "<=")}


def _in_stock(facet: Facet | None, address: Address) -> Choice | None:
    """Offered where some are not."""
    condition = f"{IN_STOCK}=true"
    if facet is None or condition in address.where:
        return None
    count = next((one.count for one in facet.values if one.value is True), 0)
    if not 0 < count < facet.candidates:
        return None
    return Choice("true", count, address.narrowed(condition).url)


def _sorts(address: Address, manifest: BuildManifest) -> tuple[tuple[str, str, bool], ...]:
    fields = manifest.fields
    known = ["", *((PRICE, f"-{PRICE}") if PRICE in fields else ())]
    if any(fields.get(name) is FieldType.DATE for name in DATES):
        known.append(NEWEST)
    return tuple((one, address.sorted_by(one or None).url, (address.sort or "") == one) for one in known)
