"""The seam between the stages of a build and whatever looks at photos and reads texts; and the one in this process."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from indexer.builds.cache import EmbeddingCache
from indexer.builds.embeddings import Embeddings, text_key
from indexer.catalog.outcomes import Outcome
from indexer.catalog.records import ReadyImage, RejectedImage
from indexer.domain import EncoderIdentity, Frozen, ImageRef, Matrix, Pixels
from indexer.encoders import Encoder, EncoderSettings
from indexer.errors import EncoderMismatch, ImageRejected
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.palette import Palette
from indexer.places import Place
from indexer.settings import ImageSettings, Settings

COMMIT_BATCHES = 4
"""Encoder batches between two commits: what a killed build may have to encode again."""
OUTCOMES = 1_000
"""Photos between two commits when few of them had to be encoded."""
TEXTS = 1_000
"""Texts between two commits."""

Item = TypeVar("Item")


class Photo(NamedTuple):
    """An image of the ledger that is to be looked at."""

    product_id: str
    image_id: str
    uri: str


class Looked(NamedTuple):
    """What became of photos; of those that are ready, the vectors are in the cache. `encoded` vectors are new."""

    outcomes: tuple[Outcome, ...]
    encoded: int


Beat = Callable[[int], None]
"""Told how many items were done since it was last called, which may be none; raises to stop the work."""
OpenEncoder = Callable[[EncoderSettings], Encoder]


class Embedder(Protocol):
    """Puts vectors of photos and texts into the cache that the build reads, and says so when they are durable.

    Iterators are closed by whoever leaves them early; one is read at a time. They call `beat` at least once a second
    while something is decoded, and raise what it raises. Raises UnavailableError when processes die, EncoderMismatch
    when an encoder elsewhere is another one than here, and what encoders and the cache raise.
    """

    def photos(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        """Every photo has one outcome, in any order; a bad photo is an outcome, never an error."""

    def texts(self, texts: Iterable[str], beat: Beat) -> Generator[int, None, None]:
        """Yields how many texts were encoded; those that the cache has are passed over."""

    def close(self) -> None:
        """End what outlives an iterator; it begins anew with the next one."""


class Here:
    """One encoder, in this process."""

    def __init__(self, encoder: Encoder, embeddings: Embeddings, settings: Settings) -> None:
        self._encoder = encoder
        self._embeddings = embeddings
        self._images = settings.images
        self._batch_size = settings.encoder.batch_size

    def photos(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        with DecoderPool.of(self._images) as decoders:
            reader = PhotoReader(self._encoder, self._embeddings.images, decoders, self._batch_size)
            yield from reader.read(photos, root, beat)

    def texts(self, texts: Iterable[str], beat: Beat) -> Generator[int, None, None]:
        for some in chunks(texts, TEXTS):
            encoded = encode_missing(some, self._encoder, self._embeddings)
            beat(len(some))
            yield encoded

    def close(self) -> None:
        """Nothing outlives an iterator."""


class PhotoReader:
    """Children decode ahead while a thread encodes; vectors reach the cache before their outcomes are told."""

    def __init__(self, encoder: Encoder, cache: EmbeddingCache, decoders: DecoderPool, batch_size: int) -> None:
        self._encoder = encoder
        self._cache = cache
        self._decoders = decoders
        self._batch_size = batch_size

    def read(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        """Outcomes are in the order of the photos. Raises what the encoder and the cache raise."""
        fit = self._encoder.spec.fit
        tasks = (DecodeTask(ImageRef(photo.uri), fit, root, key=photo) for photo in photos)
        with closing(_Portions(self._encoder, self._cache, self._batch_size)) as portions:
            for task, decoded in self._decoders.map(tasks, ahead=self._batch_size):
                if not isinstance(task.key, Photo):
                    raise TypeError("the decoder pool returned a task that is not this reader's")
                portions.take(task.key, decoded)
                beat(1)
                yield from portions.looked(unfinished=1)
            portions.end()
            yield from portions.looked(unfinished=0)


@dataclass(slots=True)
class _Portion:
    """Photos whose outcomes are told together."""

    outcomes: list[Outcome] = field(default_factory=list)
    batches: list[tuple[list[bytes], Future[Matrix]]] = field(default_factory=list)
    """The keys in the cache of those that were not in it, and their vectors."""

    @property
    def full(self) -> bool:
        return len(self.batches) >= COMMIT_BATCHES or len(self.outcomes) >= OUTCOMES

    @property
    def encoded(self) -> bool:
        return all(vectors.done() for _, vectors in self.batches)


class _Portions:
    """Photos from their decoding to the cache. Pixels of three batches are held at most: of one that fills, one that
    waits and one that is being encoded."""

    def __init__(self, encoder: Encoder, cache: EmbeddingCache, batch_size: int) -> None:
        self._encoder = encoder
        self._cache = cache
        self._batch_size = batch_size
        self._thread = ThreadPoolExecutor(1, "encode")
        self._begun: deque[Future[Matrix]] = deque()
        self._batch: dict[bytes, Pixels] = {}
        self._uncached: set[bytes] = set()
        self._filling = _Portion()
        self._ended: deque[_Portion] = deque()

    def take(self, photo: Photo, decoded: Decoded | ImageRejected) -> None:
        """Waits where the encoder is behind."""
        self._filling.outcomes.append(outcome_of(photo, decoded))
        if isinstance(decoded, Decoded):
            key = bytes.fromhex(decoded.content_hash)
            if key not in self._uncached and self._cache.missing([key]):
                self._batch[key] = decoded.pixels
                self._uncached.add(key)
        if len(self._batch) >= self._batch_size:
            self._encode()
        if self._filling.full:
            self.end()

    def end(self) -> None:
        """Of a portion; its last batch may be a small one."""
        if self._batch:
            self._encode()
        if self._filling.outcomes:
            self._ended.append(self._filling)
            self._filling = _Portion()

    def looked(self, unfinished: int) -> Iterator[Looked]:
        """Portions that are done, in order; waits until at most so many others are left."""
        while len(self._ended) > unfinished or (self._ended and self._ended[0].encoded):
            yield self._kept(self._ended.popleft())

    def close(self) -> None:
        """What has not begun to be encoded is given up."""
        self._thread.shutdown(cancel_futures=True)

    def _encode(self) -> None:
        while len(self._begun) > 1:
            self._begun.popleft().result()
        vectors = self._thread.submit(self._encoder.encode_images, list(self._batch.values()))
        self._begun.append(vectors)
        self._filling.batches.append((list(self._batch), vectors))
        self._batch.clear()

    def _kept(self, portion: _Portion) -> Looked:
        keys = [key for some, _ in portion.batches for key in some]
        if keys:
            self._cache.put(keys, np.concatenate([vectors.result() for _, vectors in portion.batches]))
            self._uncached.difference_update(keys)
        return Looked(tuple(portion.outcomes), len(keys))


class Equipment(Frozen):
    """What another process needs to do the work of `Here`."""

    encoder: EncoderSettings
    identity: EncoderIdentity
    """The encoder it must turn out to be."""
    images: ImageSettings
    home: Path
    embeddings: str | None

    @classmethod
    def of(cls, settings: Settings, identity: EncoderIdentity) -> "Equipment":
        return cls(
            encoder=settings.encoder,
            identity=identity,
            images=settings.images,
            home=settings.home.absolute(),
            embeddings=settings.embeddings.url,
        )

    def open_encoder(self, open_encoder: OpenEncoder) -> Encoder:
        """Raises EncoderMismatch, and what opening an encoder raises."""
        encoder = open_encoder(self.encoder)
        found = encoder.spec.identity
        if found != self.identity:
            raise EncoderMismatch(
                f"The build's encoder is {self.identity.name} {self.identity.fingerprint[:12]}, but a process that "
                f"helps it has {found.name} {found.fingerprint[:12]}: install the same weights everywhere."
            )
        return encoder

    def open_embeddings(self) -> Embeddings:
        return Embeddings(self.home, self.identity, self.embeddings)


def outcome_of(photo: Photo, decoded: Decoded | ImageRejected) -> Outcome:
    """As the ledger has it."""
    if isinstance(decoded, ImageRejected):
        return RejectedImage(photo.product_id, photo.image_id, decoded.reason, decoded.detail)
    return ReadyImage(
        product_id=photo.product_id,
        image_id=photo.image_id,
        content_hash=decoded.content_hash,
        width=decoded.width,
        height=decoded.height,
        palette=plain_palette(decoded.palette),
    )


def plain_palette(palette: Palette) -> tuple[tuple[float, float, float, float], ...]:
    """(L, a, b, share) of each colour, as the ledger has it."""
    return tuple((*colour.lab, colour.share) for colour in palette.colours)


def encode_missing(texts: Sequence[str], encoder: Encoder, embeddings: Embeddings) -> int:
    """Encode the texts that are not cached; returns how many those were."""
    by_key = {text_key(text): text for text in texts}
    missing = embeddings.texts.missing(list(by_key))
    embeddings.texts.put(missing, encoder.encode_texts([by_key[key] for key in missing]))
    return len(missing)


def chunks(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    iterator = iter(items)
    while chunk := tuple(islice(iterator, size)):
        yield chunk
