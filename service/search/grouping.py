"""Variants of one thing as one result: the best of them is shown, the others are told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from indexer.builds.texts import values_of
from indexer.catalog.records import Variant
from indexer.domain import Frozen, Product
from service.changes import COLOUR
from service.search.fusion import Fused


@dataclass(frozen=True, slots=True)
class Group:
    """`shown` and the other found `variants` of the same parent, in their order.

    `duplicates` are the ids of products of other parents that look and read the same, folded into this one.
    """

    key: str
    """The parent, or the product's id where it has none."""
    shown: Fused
    variants: tuple[Fused, ...] = ()
    duplicates: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the products in it, the one shown first, without the duplicates."""
        return self.shown.hit.product_id, *(one.hit.product_id for one in self.variants)


class VariantSummary(Frozen):
    """The other variants of a result that the catalogue has, found or not: "also in 6 colours"."""

    count: int
    colours: tuple[str, ...]
    """As the shop names them, each once; without those of the variant that is shown."""
    ids: tuple[str, ...]

    @property
    def label(self) -> str:
        """For people."""
        if self.colours:
            return f"also in {len(self.colours)} colour{'s' if len(self.colours) > 1 else ''}"
        return f"{self.count} more variant{'s' if self.count > 1 else ''}"


def grouped(ranked: Sequence[Fused]) -> list[Group]:
    """Each group stands where its best member stands, which is the one shown; order and scores are as given.

    A product that the others name as their parent is one of the group. Only products of one parent are grouped: ids
    that differ in upper and lower case alone are two products.
    """
    parents = {parent for one in ranked if (parent := parent_of(one))}
    members: dict[str, list[Fused]] = {}
    for one in ranked:
        members.setdefault(_key(one, parents), []).append(one)
    return [Group(key, first, tuple(others)) for key, (first, *others) in members.items()]


def ungrouped(ranked: Sequence[Fused]) -> list[Group]:
    """Each product by itself, as a group of one."""
    return [Group(one.hit.product_id, one) for one in ranked]


def summarise(shown: Product, variants: Iterable[Variant]) -> VariantSummary | None:
    """`variants`: the products of its parent, itself among them or not, in the order of the source. None where there
    are no others."""
    others = [one for one in variants if one.id != shown.id]
    if not others:
        return None
    own = {colour.casefold() for colour in _colours(shown)}
    colours: dict[str, str] = {}
    for colour in (colour for one in others for colour in _colours(one)):
        colours.setdefault(colour.casefold(), colour)
    return VariantSummary(
        count=len(others),
        colours=tuple(colour for folded, colour in colours.items() if folded not in own),
        ids=tuple(one.id for one in others),
    )


def parent_of(one: Fused) -> str | None:
    """Casefolded, as it is filtered by."""
    parent = one.payload.get("parent", [])
    if isinstance(parent, list):
        return parent[0] if parent else None
    return str(parent)


def _key(one: Fused, parents: set[str]) -> str:
    product_id = one.hit.product_id
    parent = parent_of(one)
    if parent is not None:
        return parent
    return product_id.casefold() if product_id.casefold() in parents else product_id


def _colours(product: Product | Variant) -> tuple[str, ...]:
    return values_of(product.attributes.get(COLOUR, ()))
