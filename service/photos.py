"""The products' own photos at query time, for what has to be seen again: a photo that is recoloured."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Final

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest, Pixels, Product
from indexer.errors import FetchFailed, ImageRejected, InputError, UnavailableError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.places import Place, place_of, why

PATIENT: Final = 10.0
BUSY: Final = 1.0
"""Seconds that a search waits for a photo, of a command and of a service; it goes on without one."""
AT_ONCE: Final = 8


class CataloguePhotos:
    """Thread-safe; `close` waits for no photo."""

    def __init__(self, database: Database, decoders: DecoderPool, seconds: float = PATIENT) -> None:
        self._seconds = seconds
        self._database = database
        self._decoders = decoders
        self._reading = ThreadPoolExecutor(AT_ONCE, "read-photo")
        self._started = False

    def first(self, build: BuildManifest, product: Product, fit: Fit) -> Pixels:
        """The first photo of the product, which has one.

        Raises ImageRejected, and UnavailableError when it comes late or the catalogue's folder cannot be read at all:
        it is gone, or its driver is.
        """
        try:
            task = DecodeTask(product.images[0], fit, self._root(build.catalog))
            self._start()
            return self._decoded(task).pixels
        except Late as error:
            raise UnavailableError(f"the photo of {product.id} did not come within {self._seconds:g} s.") from error
        except ImageRejected as error:
            raise ImageRejected(error.reason, f"the photo of {product.id} is {error.reason}.") from error
        except (FetchFailed, InputError) as error:
            raise UnavailableError(f"the photo of {product.id} cannot be had: {error}") from error
        except OSError as error:
            raise UnavailableError(f"the photo of {product.id} cannot be had: {why(error)}.") from error

    def close(self) -> None:
        self._reading.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        """Once, and before any photo's time runs: children take seconds to start."""
        if not self._started:
            self._decoders.start()
            self._started = True

    def _decoded(self, task: DecodeTask) -> Decoded:
        decoding = self._reading.submit(self._decoders.decode, task)
        try:
            return decoding.result(self._seconds)
        finally:
            decoding.cancel()

    def _root(self, catalog: str) -> Place:
        with self._database.session() as session:
            return place_of(CatalogRepository(session).get(catalog).root)
