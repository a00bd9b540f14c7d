"""What a thing is stays what it is when something else about it changes: a blue hoodie is looked for among clothes.

Only by what the shop says. Lifting what photos were guessed to show moved right answers down whose guess was wrong
(DECISIONS.md).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from indexer.builds.live import LiveIndex
from indexer.domain import Channel, Condition, Op, PayloadValue, Product, VectorQuery, point_id
from service.search.boosts import Lift, lift_where
from service.search.questions import Encoded
from service.search.understanding.vocabulary import CATEGORY

WITNESSES: Final = 10
"""Products nearest to a shopper's photo, whose categories say what is on it."""
AGREED: Final = 0.6
"""Share of them that must be of one category."""


def kept(reference: Product | None, encoded: Encoded, index: LiveIndex, amount: float) -> tuple[Lift, ...]:
    """For the category of what an edit starts from, unless that is to change, or nobody knows what is.

    `reference` is the product, None where it is a photo; `amount` as `search.edits.keep`.
    """
    changed = {change.field for change in encoded.changes}
    if not amount or not changed or encoded.edit is None or not changed.isdisjoint({CATEGORY, "kind"}):
        return ()
    category = _of_product(reference, index) if reference is not None else _of_photo(encoded, index)
    if category is None:
        return ()
    return (lift_where(f"kept:{CATEGORY}={category}", Condition(CATEGORY, Op.EQ, category), amount),)


def _of_product(reference: Product, index: LiveIndex) -> str | None:
    images = (*(image.image_id for image in reference.images), "")
    payloads = index.store.read([point_id(index.manifest.catalog, reference.id, image) for image in images])
    return next((named for payload in payloads.values() if (named := _deepest(payload)) is not None), None)


def _of_photo(encoded: Encoded, index: LiveIndex) -> str | None:
    """What most of the products are that look most like it."""
    seen = None if encoded.edit is None else encoded.edit.reference.get(Channel.IMAGE)
    if seen is None:
        return None
    points = [hit.point_id for hit in index.store.search(VectorQuery({Channel.IMAGE: seen}), WITNESSES)]
    found = Counter(map(_deepest, index.store.read(points).values()))
    category, votes = max(found.items(), key=lambda one: one[1], default=(None, 0))
    return category if votes >= AGREED * WITNESSES else None


def _deepest(payload: Mapping[str, PayloadValue]) -> str | None:
    """Of the levels and paths that a payload has, the longest path."""
    levels = payload.get(CATEGORY)
    return max(levels, key=lambda level: level.count("/"), default=None) if isinstance(levels, list) else None
