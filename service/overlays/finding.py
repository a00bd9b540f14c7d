"""Which photos of a catalogue somebody seems to have written on.

A photo can carry words for whoever looks at it: prices, slogans, orders to a model that judges it. Whether an encoder
sees them is measured on the catalogue itself: words are drawn on some of its photos, half of these teach a probe, the
other half tell how much it finds. Asking the encoder in words ("a photo with text written on it") found hardly more
than chance would, or less, with every encoder that was tried (DECISIONS.md).
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from indexer.builds.embeddings import Embeddings
from indexer.builds.pages import Page, pages
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest, Frozen, Matrix, Pixels, Product
from indexer.encoders import Encoder
from indexer.errors import ImageRejected, UnavailableError, VectorsMissing
from indexer.images.fit import Fit
from service.overlays.drawing import with_words
from service.overlays.probe import Probe
from service.photos import CataloguePhotos

SAMPLE: Final = 200
"""Photos that words are drawn on, half of them to learn from; of fewer than FEWEST nothing can be said."""
FEWEST: Final = 20
FALSE_ALARMS: Final = 0.05
"""Share of the photos without words that are listed too."""
ENOUGH: Final = 0.7
"""Share of the photos with words that must be found for a list to be worth looking at: at .5 to .65, what the
showroom's encoder finds, it is striped clothes that come first."""
_VIEW: Final = Fit((512, 512), "within")
_BATCH: Final = 32

Ratio = Annotated[float, Field(ge=0, le=1)]


class Suspect(Frozen):
    """A photo that looks written on. `score`: standard deviations above the mean of photos without words."""

    product: str
    title: str
    image: str
    score: float


class Overlays(Frozen):
    """`found` is the share of the sampled photos that were caught once words were drawn on them; null where too few
    photos could be sampled. Nothing is listed where that is less than ENOUGH."""

    catalog: str
    build: str
    photos: int
    sampled: int
    found: Ratio | None
    suspects: tuple[Suspect, ...]
    """The surest first."""

    @property
    def usable(self) -> bool:
        """Whether the encoder sees words well enough."""
        return self.found is not None and self.found >= ENOUGH


@dataclass(frozen=True, eq=False)
class Finder:
    database: Database
    embeddings: Embeddings
    encoder: Encoder
    photos: CataloguePhotos

    def find(self, build: BuildManifest, most: int) -> Overlays:
        """The build's photos as they were when it was made, `most` of them at most.

        Raises VectorsMissing when their embeddings are gone.
        """
        sample = self._sample(build)
        measured = None
        if len(sample) >= FEWEST:
            measured = _Measured.of(*(self._encoded(pictures) for pictures in _variants(sample)))
        usable = measured is not None and measured.found >= ENOUGH
        count, suspects = self._scored(build, measured if usable else None, most)
        return Overlays(
            catalog=build.catalog,
            build=build.build,
            photos=count,
            sampled=len(sample),
            found=None if measured is None else measured.found,
            suspects=tuple(suspects),
        )

    def _sample(self, build: BuildManifest) -> list[Pixels]:
        """Photos of lowest content hash, each once: as good as drawn by lot, and the same every time."""
        shown = {
            content_hash: (entry.product, image.image_id)
            for page in self._pages(build)
            for entry in page
            for image, content_hash in zip(entry.images, entry.hashes, strict=True)
        }
        chosen = [shown[content_hash] for content_hash in heapq.nsmallest(SAMPLE, shown)]
        views = (self._view(build, product, image_id) for product, image_id in chosen)
        return [view for view in views if view is not None]

    def _view(self, build: BuildManifest, product: Product, image_id: str) -> Pixels | None:
        """None for a photo that cannot be had today."""
        try:
            return self.photos.of(build, product, image_id, _VIEW)
        except (ImageRejected, UnavailableError):
            return None

    def _encoded(self, pictures: Sequence[Pixels]) -> Matrix:
        starts = range(0, len(pictures), _BATCH)
        return np.concatenate([self.encoder.encode_images(pictures[at : at + _BATCH]) for at in starts])

    def _scored(self, build: BuildManifest, measured: "_Measured | None", most: int) -> tuple[int, list[Suspect]]:
        """How many photos there are, and those above the threshold."""
        count = 0
        suspects: list[Suspect] = []
        for page in self._pages(build):
            named = [(entry.product, image.image_id) for entry in page for image in entry.images]
            count += len(named)
            if measured is not None and named:
                scores = measured.scores(self._vectors(build, page))
                above = [
                    (float(score), *one) for score, one in zip(scores, named, strict=True) if score > measured.least
                ]
                found = [
                    Suspect(product=product.id, title=product.title, image=image_id, score=round(score, 2))
                    for score, product, image_id in above
                ]
                suspects = heapq.nsmallest(most, [*suspects, *found], key=lambda one: (-one.score, one.product))
        return count, suspects

    def _vectors(self, build: BuildManifest, page: Page) -> Matrix:
        try:
            return self.embeddings.of_images([one for entry in page for one in entry.hashes])
        except KeyError as error:
            raise VectorsMissing(
                f"The embeddings of build {build.build} of catalog {build.catalog} are gone; build the catalogue again."
            ) from error

    def _pages(self, build: BuildManifest) -> Iterator[Page]:
        return pages(self.database, build.catalog, build.generation)


def _variants(sample: Sequence[Pixels]) -> Iterator[list[Pixels]]:
    """The photos as they are, with words on them, and with other words."""
    yield [*sample]
    for turn in range(2):
        yield [with_words(picture, Random(f"{turn} {place}")) for place, picture in enumerate(sample)]


@dataclass(frozen=True, eq=False)
class _Measured:
    """A probe with the mean and deviation of what it says of photos without words, the score from which photos are
    listed, and the share of those with words that it then finds."""

    probe: Probe
    mean: float
    deviation: float
    least: float
    found: float

    @classmethod
    def of(cls, plain: Matrix, *written: Matrix) -> "_Measured":
        """Learnt from every second photo and measured on the others; rows (n, dim) of the same photos."""
        probe = Probe.learnt(plain[::2], np.concatenate([rows[::2] for rows in written]))
        unwritten = probe.scores(plain[1::2])
        mean, deviation = float(unwritten.mean()), max(float(unwritten.std()), 1e-12)
        least = float(np.quantile(unwritten, 1 - FALSE_ALARMS, method="higher"))
        found = probe.scores(np.concatenate([rows[1::2] for rows in written])) > least
        return cls(probe, mean, deviation, (least - mean) / deviation, float(found.mean()))

    def scores(self, photos: Matrix) -> Sequence[float]:
        """(n,) in deviations above the mean."""
        return [float(score) for score in (self.probe.scores(photos) - self.mean) / self.deviation]
