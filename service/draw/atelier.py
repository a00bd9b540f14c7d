"""Pictures of "like this, but blue" for people to look at, before or without searching by them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

from indexer.builds.live import LiveIndex
from indexer.domain import BuildManifest, Product
from indexer.encoders import Encoder
from indexer.errors import NothingGenerated, QueryError, UnknownProduct
from indexer.images.decoders import Decoded, DecoderPool
from indexer.images.fit import Fit
from indexer.images.names import name_colours
from indexer.images.regions import Box
from service.changes import asked_changes
from service.deadline import Deadline
from service.draw.documents import DrawRequest, Pictures
from service.generate.cache import encoded
from service.generate.seam import Watch
from service.metrics import Metrics
from service.photos import decoded_upload
from service.search.drawing import Artist, Picture, Sitter, canvas_fit, region_of
from service.search.meaning import meant
from service.search.query import Query

NOBODY: Final = "nobody is set up to draw pictures; see generate.generators"


class Lease(Protocol):
    def __call__(self, catalog: str | None) -> AbstractContextManager[tuple[LiveIndex, Encoder]]: ...


class Products(Protocol):
    def get_many(self, build: BuildManifest, ids: Sequence[str]) -> Mapping[str, Product]: ...


class Atelier:
    """Thread-safe."""

    def __init__(
        self, lease: Lease, products: Products, decoders: DecoderPool, metrics: Metrics, artist: Artist | None
    ) -> None:
        """Without an `artist` nothing is drawn."""
        self._lease = lease
        self._products = products
        self._decoders = decoders
        self._metrics = metrics
        self._artist = artist

    def draw(
        self,
        request: DrawRequest,
        photo: bytes | None = None,
        caller: str = "",
        watch: Watch | None = None,
        deadline: Deadline | None = None,
    ) -> Pictures:
        """Without a `watch`, within the time of the settings and the `deadline`.

        Raises NothingGenerated with everybody's reasons, InputError for what was asked, Cancelled, and what keeps the
        published build from being searched.
        """
        artist = self._chosen()
        with self._lease(request.catalog) as (index, encoder):
            sitter = self._sitter(request, photo, index, encoder, caller, deadline or Deadline())
            drawing = artist.draw(sitter, request.wish, watch)
            manifest = index.manifest
        if not drawing.pictures:
            raise NothingGenerated(f"No picture was drawn: {'; '.join(drawing.skipped)}.")
        pictures = tuple(Picture.of(one) for one in drawing.pictures)
        self._metrics.drawn(pictures)
        return Pictures(catalog=manifest.catalog, build=manifest.build, pictures=pictures, skipped=drawing.skipped)

    def run(self, request: str, photo: bytes | None, watch: Watch) -> str:
        """A job's; `request` and what is returned are documents as JSON."""
        asked = DrawRequest.model_validate_json(request)
        return self.draw(asked, photo, watch.caller, watch).model_dump_json()

    def png(self, picture_id: str) -> bytes:
        """The file of a picture, which says how it came about. Raises UnknownPicture, NothingGenerated."""
        return encoded(self._chosen().studio.kept(picture_id))

    def check(self, request: DrawRequest, photo: bytes | None) -> None:
        """What of a request can be told before it is drawn. Raises QueryError, BadBox, ImageRejected, NothingGenerated
        where nobody is set up to draw."""
        self._chosen()
        self._seen(request, photo, canvas_fit(request.mode))
        asked_changes(request.change, {})
        if request.region is not None:
            region_of(request.region)
        if not request.change.strip():
            raise QueryError("change: say what is to be different, e.g. 'but blue'.")

    def _chosen(self) -> Artist:
        if self._artist is None:
            raise NothingGenerated(f"No picture was drawn: {NOBODY}.")
        return self._artist

    def _sitter(
        self,
        request: DrawRequest,
        photo: bytes | None,
        index: LiveIndex,
        encoder: Encoder,
        caller: str,
        deadline: Deadline,
    ) -> Sitter:
        seen = self._seen(request, photo, encoder.spec.fit)
        canvas = self._seen(request, photo, canvas_fit(request.mode))
        query = Query(
            change=request.change,
            like=request.like,
            photo=None if seen is None else seen.pixels,
            photo_colours=() if seen is None else tuple(name_colours(seen.palette)),
            generate=request.mode,
            canvas=None if canvas is None else lambda: canvas.pixels,
            caller=caller,
            deadline=deadline,
        )
        product = None if request.like is None else self._product(index.manifest, request.like)
        return Sitter(query, meant(query, index, encoder, product), product, index.manifest, encoder)

    def _seen(self, request: DrawRequest, photo: bytes | None, fit: Fit) -> Decoded | None:
        """The photo, if that is what is started from."""
        if (photo is None) == (request.like is None):
            raise QueryError("Give a photo or a product to start from, one of them.")
        box = None if request.box is None else Box(*request.box)
        if photo is None and box is not None:
            raise QueryError("box: a box is a part of a photo; give the photo too.")
        return None if photo is None else decoded_upload(self._decoders, photo, fit, box)

    def _product(self, build: BuildManifest, product_id: str) -> Product:
        found = self._products.get_many(build, [product_id]).get(product_id)
        if found is None:
            raise UnknownProduct(f"No product {product_id!r} in catalog {build.catalog}.")
        return found
