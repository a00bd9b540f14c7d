"""Photos at query time: shoppers', and the products' own, for what has to be seen again to recolour or verify it."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.daemons import Daemons
from indexer.domain import BuildManifest, ImageRef, Pixels, Product
from indexer.errors import FetchFailed, ImageRejected, InputError, UnavailableError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.reasons import Reason
from indexer.images.regions import Box
from indexer.places import Place, place_of, why
from service.deadline import Deadline
from service.tracing import span

PATIENT: Final = 10.0
BUSY: Final = 1.0
"""Seconds that a search waits for a photo, of a command and of a service; it goes on without one."""
AT_ONCE: Final = 8


def decoded_upload(
    decoders: DecoderPool, photo: bytes, fit: Fit, box: Box | None = None, deadline: Deadline | None = None
) -> Decoded:
    """A shopper's photo. Raises ImageRejected, in words for shoppers, and TooLate where the deadline is over."""
    if deadline is not None:
        deadline.demand("decode")
    try:
        with span("decode"):
            return decoders.decode(DecodeTask(photo, fit, box=box))
    except ImageRejected as error:
        raise refused(error) from error


def refused(error: ImageRejected) -> ImageRejected:
    return ImageRejected(error.reason, f"The photo is refused ({error.reason}): {error.detail}.")


class CataloguePhotos:
    """Thread-safe; nobody waits for a photo that hangs, not at the end of the process either."""

    def __init__(self, database: Database, decoders: DecoderPool, seconds: float = PATIENT) -> None:
        self._seconds = seconds
        self._database = database
        self._decoders = decoders
        self._reading = Daemons(AT_ONCE, "read-photo")
        self._started = False

    def first(self, build: BuildManifest, product: Product, fit: Fit) -> Pixels:
        """The first photo of the product, which has one.

        Raises ImageRejected, and UnavailableError when it comes late or the catalogue's folder cannot be read at all:
        it is gone, or its driver is.
        """
        self.start()
        return self._seen(build, product, product.images[0], fit, self._seconds)

    def of(self, build: BuildManifest, product: Product, image_id: str, fit: Fit, until: float | None = None) -> Pixels:
        """The photo of that id, as `first`, and by a time of the monotonic clock if one is given.

        Its time runs while decoders start, too. ImageRejected is also raised when the product has no such photo.
        """
        image = next((one for one in product.images if one.image_id == image_id), None)
        if image is None:
            raise ImageRejected(Reason.MISSING, f"{product.id} has no photo {image_id}.")
        left = self._seconds if until is None else min(self._seconds, until - time.monotonic())
        return self._seen(build, product, image, fit, max(0.0, left))

    def hashes(self, build: BuildManifest, product_ids: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """(product id, image id) → SHA-256 of the photo's file, 64 hex digits, of those that passed the gate.

        Raises CatalogueUnavailable.
        """
        with self._database.session() as session:
            found = ImageRepository(session).of_products(build.catalog, product_ids, generation=build.generation)
        return {
            (product_id, image.image_id): image.content_hash
            for product_id, images in found.items()
            for image in images
            if image.content_hash is not None
        }

    def start(self) -> None:
        """Have the decoders ready, once, before any photo's time runs: children take seconds to start."""
        if not self._started:
            self._decoders.start()
            self._started = True

    def begin(self) -> None:
        """As `start`, beside what the caller does meanwhile."""
        if not self._started:
            self._reading.submit(self.start)

    def _seen(self, build: BuildManifest, product: Product, image: ImageRef, fit: Fit, seconds: float) -> Pixels:
        try:
            task = DecodeTask(image, fit, self._root(build.catalog))
            return self._reading.within(seconds, partial(self._decoders.decode, task)).pixels
        except TimeoutError as error:
            raise UnavailableError(f"the photo of {product.id} did not come within {seconds:.3g} s.") from error
        except ImageRejected as error:
            raise ImageRejected(error.reason, f"the photo of {product.id} is {error.reason}.") from error
        except (FetchFailed, InputError) as error:
            raise UnavailableError(f"the photo of {product.id} cannot be had: {error}") from error
        except OSError as error:
            raise UnavailableError(f"the photo of {product.id} cannot be had: {why(error)}.") from error

    def _root(self, catalog: str) -> Place:
        with self._database.session() as session:
            return place_of(CatalogRepository(session).get(catalog).root)
