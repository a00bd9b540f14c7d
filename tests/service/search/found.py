"""Products as a search finds them, made by hand."""

from collections.abc import Sequence

from indexer.domain import Hit, PayloadValue, point_id
from service.search.fusion import Fused
from service.search.grouping import Group

SHOP = "shop"


def found(product_id: str, score: float = 0.0, parent: str | None = None, **payload: PayloadValue) -> Fused:
    """By its only photo."""
    known = {"parent": [parent], **payload} if parent is not None else payload
    return Fused(Hit(point_id(SHOP, product_id, "0"), product_id, "0", score), score, {}, {}, {}, payload=known)


def shown(groups: Sequence[Group]) -> list[str]:
    return [group.shown.hit.product_id for group in groups]
