"""Is the wanted change true of a found product? The shop's own fields and title tell, for colour the photo too."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from indexer.builds.texts import values_of
from indexer.domain import Condition, Hit, Op, Product, VectorQuery
from indexer.images.names import COLOUR_NAMES, colours_named_in
from indexer.stores.seam import VectorStore
from service.search.boosts import satisfying
from service.search.edits import COLOUR, Change
from service.search.fusion import Fused

PALETTE = "palette"
"""The payload field that names the colours of a photo's foreground."""


@dataclass(frozen=True)
class Checked:
    """`checks` says per changed field whether it holds: True, False, or None where it cannot be told."""

    fused: Fused
    fused_rank: int
    product: Product
    checks: Mapping[str, bool | None]

    @property
    def contradicted(self) -> bool:
        return any(verdict is False for verdict in self.checks.values())


def check(change: Change, product: Product, hit: Hit, so_coloured: Collection[UUID]) -> bool | None:
    """`so_coloured` are the photos that show the wanted colour; they decide where the shop names none."""
    given = [value.casefold() for value in values_of(product.attributes.get(change.field, ()))]
    if change.target in given:
        return True
    if change.field != COLOUR or change.target not in COLOUR_NAMES:
        return False if given else None
    named = _colours_by_shop(product)
    if named:
        return change.target in named
    return hit.point_id in so_coloured if hit.image_id else None


def photos_showing(colour: str, hits: Sequence[Hit], query: VectorQuery, store: VectorStore) -> frozenset[UUID]:
    """Those of the hits whose palette has the colour. The query only has to be one the hits were found with."""
    photos = [hit for hit in hits if hit.image_id]
    return frozenset(satisfying(Condition(PALETTE, Op.EQ, colour), photos, query, store))


def by_verdict(checked: Sequence[Checked]) -> list[Checked]:
    """Contradicted products go behind the others of the window; otherwise the order stays.

    What is no nearer than an average product (calibrated scores: 0) has the right colour by chance, and stays behind.
    """
    return sorted(checked, key=lambda one: one.contradicted or (bool(one.checks) and one.fused.score <= 0))


def _colours_by_shop(product: Product) -> tuple[str, ...]:
    values = values_of(product.attributes.get(COLOUR, ()))
    named = tuple(name for value in values for name in colours_named_in(value))
    return named or colours_named_in(product.title)
