"""A request and its photos, made into the question that is searched for."""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial

from indexer.domain import Pixels
from indexer.encoders import EncoderSpec
from indexer.errors import QueryError
from indexer.images.decoders import DecoderPool
from indexer.images.names import name_colours
from indexer.images.regions import Box
from service.deadline import Deadline
from service.photo_urls import PhotoUrls
from service.photos import decoded_upload
from service.request import SearchRequest
from service.rerank.verifier import Verifier
from service.search.drawing import canvas_fit
from service.search.query import Query
from service.search.weights import named_weights


class Posing:
    """Thread-safe. Its parts are others' to close."""

    def __init__(self, decoders: DecoderPool, urls: PhotoUrls, verifier: Verifier | None) -> None:
        self._decoders = decoders
        self._urls = urls
        self._verifier = verifier

    def photo(self, request: SearchRequest, photo: bytes | None, deadline: Deadline) -> bytes | None:
        """The one at hand, or the one that the request names. Raises QueryError, and as `PhotoUrls.photo`."""
        if request.photo_url is None:
            return photo
        if photo is not None:
            raise QueryError("photo_url: one starts from a photo that is given or from one at an address, not both.")
        return self._urls.photo(request.photo_url, deadline)

    def query(
        self,
        request: SearchRequest,
        photo: bytes | None,
        further: Sequence[bytes],
        spec: EncoderSpec,
        caller: str,
        deadline: Deadline,
    ) -> Query:
        """Photos fitted to the encoder of that `spec`. Raises QueryError, ImageRejected for them, TooLate."""
        begun = time.perf_counter()
        box = None if request.box is None else Box(*request.box)
        if box is not None and photo is None:
            raise QueryError("box: a box is a part of a photo; give the photo too.")
        decode = partial(decoded_upload, self._decoders, deadline=deadline)
        decoded = None if photo is None else decode(photo, spec.fit, box)
        return Query(
            words=request.text,
            change=request.change,
            like=request.like,
            photo=None if decoded is None else decoded.pixels,
            photo_colours=() if decoded is None else tuple(name_colours(decoded.palette)),
            further_photos=tuple(decode(one, spec.fit).pixels for one in further),
            without=request.without,
            ignore=request.ignore,
            where=request.where,
            weights=None if request.weights is None else named_weights(request.weights),
            top_k=request.top_k,
            fusion=request.fusion,
            diversity=request.diversity,
            group=request.group,
            sort=request.sort,
            cursor=request.cursor,
            facets=request.facets,
            rules=request.rules,
            verify=request.verify,
            strict=request.strict,
            view=self._view(request, photo, box),
            generate=request.generate,
            generated=request.generated,
            canvas=self._canvas(request, photo, box),
            caller=caller,
            why_not=request.why_not,
            explain=request.explain,
            deadline=deadline,
            before_ms={} if photo is None else {"decode": (time.perf_counter() - begun) * 1_000},
        )

    def _view(self, request: SearchRequest, photo: bytes | None, box: Box | None) -> Pixels | None:
        """As large as whoever verifies wants to see it."""
        fit = None if self._verifier is None else self._verifier.fit
        if photo is None or fit is None or not self.looks(request):
            return None
        return decoded_upload(self._decoders, photo, fit, box).pixels

    def _canvas(self, request: SearchRequest, photo: bytes | None, box: Box | None) -> Callable[[], Pixels] | None:
        """As large as whoever draws or recolours it wants to see it, decoded once somebody does."""
        if photo is None or not (request.change or request.text):
            return None
        fit = canvas_fit(request.generate or "draft")
        return cache(lambda: decoded_upload(self._decoders, photo, fit, box).pixels)

    def looks(self, request: SearchRequest) -> bool:
        """Whether somebody will look at photos to verify the answer."""
        verifier = self._verifier
        return verifier is not None and verifier.fit is not None and verifier.whole(request.verify, request.strict)
