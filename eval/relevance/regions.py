"""A photo of several products asked for each of them: by the region that is suggested for it, whole, by its very box.

On a photo of one product the image channel finds it among the first ten every time, so that nothing can be above it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from eval.measured import Measured, measured
from eval.relevance.crowds import Crowd
from eval.relevance.measuring import HITS, PHOTO_ALONE, Figure, compared
from eval.runs.runner import Bench, DecodedPhotos, run_suite
from eval.runs.settings import with_changes
from eval.suites.suite import Suite, SuiteCard, SuiteQuery
from indexer.images.decoders import DecodeTask
from indexer.images.regions import Box
from indexer.settings import SearchSettings

_CARD: Final = SuiteCard(
    name="showroom-crowds",
    description="Photos of two to four products of the showroom on one ground, asked for each of them.",
    licence="As the showroom.",
    protocol="Right: that very product. Gallery: every product of the catalog.",
    catalog="showroom",
    measures=HITS,
)

Boxes = Sequence[Box | None]
"""Of a crowd's products, in their order; None is the whole photo."""


def region_figures(part: str, crowds: Iterable[Crowd], bench: Bench, search: SearchSettings) -> list[Figure]:
    """Gains are what the suggested region has over the other ways; the products of one photo are one question."""
    taken = tuple(crowds)
    named = {product.id: f"photo {place}" for place, crowd in enumerate(taken) for product in crowd.products}
    queries = tuple(SuiteQuery(id=product, photo=product) for product in named)
    suite = Suite(_CARD, queries, {product: {product: 1} for product in named})

    def asked(boxes: Sequence[Boxes], changes: Mapping[str, object]) -> Mapping[str, Measured]:
        photos = _decoded(taken, boxes, bench)
        run = run_suite(suite, bench, with_changes(search, changes), photos=photos, watch=lambda done, total: None)
        return {name: replace(measured(name, suite, run.scores), wordings=named) for name in HITS}

    whole = [(None,) * len(crowd.boxes) for crowd in taken]
    suggested = [_suggested(crowd, bench) for crowd in taken]
    found = {
        "as set, by region": asked(suggested, {}),
        f"{PHOTO_ALONE.name}, whole": asked(whole, PHOTO_ALONE.changes),
        "as set, whole photo": asked(whole, {}),
        "as set, by its very box": asked([crowd.boxes for crowd in taken], {}),
    }
    return compared(part, found)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    both = max(across, 0.0) * max(down, 0.0)
    return both / (one.width * one.height + other.width * other.height - both)


def _suggested(crowd: Crowd, bench: Bench) -> list[Box]:
    """The region that overlaps each product's box most: the one that its shopper would tap."""
    regions = [region.box for region in bench.decoders.regions(crowd.photo)]
    return [max(regions, key=lambda region: overlap(region, box)) for box in crowd.boxes]


def _decoded(crowds: Sequence[Crowd], boxes: Sequence[Boxes], bench: Bench) -> DecodedPhotos:
    tasks = (
        DecodeTask(crowd.photo, bench.encoder.spec.fit, key=product.id, box=box)
        for crowd, its in zip(crowds, boxes, strict=True)
        for product, box in zip(crowd.products, its, strict=True)
    )
    return {str(task.key): decoded for task, decoded in bench.decoders.map(tasks)}
