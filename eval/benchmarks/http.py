"""A search over HTTP against its encoder and its engine by hand, in turn: what the service takes for all the rest.

The service is a process of its own on a copy of a published showroom, asked over one connection that stays open. Bare
has the same encoder and the same shard, and makes the same calls of both: for words, one search of the concatenated
vectors, one of the words, and the exact scores of the candidates; for a photo with words, the decoding, both encodings
and one search with both. Where the words change the colour, a picture of the photo in that colour is looked for too:
by hand the photo is then decoded as large as it is recoloured, recoloured, encoded, and searched by. No question is
asked twice of either.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import qdrant_edge as engine

from eval.benchmarks.figures import Figure, Wanted, alternate
from eval.benchmarks.results import SHOWROOM, wordings
from eval.benchmarks.search import Bare, bare_of
from eval.benchmarks.served import Client, served
from indexer.bootstrap import encoder_of, load_settings, open_catalogue
from indexer.builds.live import published_build, read_layout
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.stores.edge import EXACT
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.points import DENSE, IMAGE, PRODUCT
from service.generate.recolour import recolour
from service.search.drawing import canvas_fit

QUESTIONS: Final = 150
PHOTOS: Final = 30
WARM: Final = 20
TOP_K: Final = 10
MATERIAL: Final = "in leather"
COLOUR: Final = "blue"
AGAINST: Final = "the encoder and the bare engine"
WORDS_WANTED: Final = Wanted(at_most=1.2)
PHOTO_WANTED: Final = Wanted(at_most=1.15)
ALLOWED: Final = 1.0
"""Milliseconds over the ratio."""


@dataclass(frozen=True)
class ByHand:
    """The calls of a search, made without Vitrine's."""

    bare: Bare
    decoders: DecoderPool

    def search(self, words: str) -> int:
        return self.bare.search(words)

    def search_by_photo(self, photo: bytes, words: str) -> int:
        return len(self._nearest(self.row(words, photo), self.bare.depth, None))

    def search_recoloured(self, photo: bytes, words: str, colour: str) -> int:
        """As `search_by_photo`, and by the photo in that colour."""
        found = self.search_by_photo(photo, words)
        picture = recolour(self.decoders.decode(DecodeTask(photo, canvas_fit("draft"))).pixels, colour).pixels
        drawn = self.bare.encoder.encode_images([picture])[0]
        return found + len(self._nearest(np.concatenate([drawn, np.zeros_like(drawn)]).tolist(), self.bare.depth, None))

    def row(self, words: str, photo: bytes | None = None) -> list[float]:
        """What is searched by: the photo, or the words in its place, and the words."""
        encoder = self.bare.encoder
        said = encoder.encode_texts([words])[0]
        if photo is None:
            seen = said
        else:
            seen = encoder.encode_images([self.decoders.decode(DecodeTask(photo, encoder.spec.fit)).pixels])[0]
        row: list[float] = np.concatenate([seen, said]).tolist()
        return row

    def recall(self, rows: Sequence[list[float]]) -> dict[str, float]:
        """Share of the exact first ten points that a search as stored finds."""
        found = []
        for row in rows:
            right, got = self._nearest(row, TOP_K, EXACT), self._nearest(row, TOP_K, None)
            found.append(len(right & got) / len(right))
        return {"recall@10": float(np.mean(found))}

    def _nearest(self, row: list[float], limit: int, params: engine.SearchParams | None) -> set[object]:
        query = engine.Query.Nearest(row, DENSE)
        request = engine.QueryRequest(query=query, limit=limit, params=params, with_payload=[PRODUCT, IMAGE])
        return {point.id for point in self.bare.shard.query(request)}


def figures(home: Path) -> Iterator[Figure]:
    """`home` has the showroom built and published; its service is not running. Raises as `served`."""
    words = iter(wordings(2 * (QUESTIONS + WARM)))
    photos = sorted((home / "showroom" / "images").glob("*.jpg"))
    chosen = [photos[at].read_bytes() for at in np.linspace(0, len(photos) - 1, 4 * (PHOTOS + WARM)).astype(int)]
    pictures = iter(chosen)
    with by_hand(home) as hand, served(home) as url, closing(Client(url)) as client:
        spent, bare = alternate(
            lambda: client.search({"text": next(words), "top_k": TOP_K}),
            lambda: hand.search(next(words)),
            QUESTIONS,
            warm=WARM,
        )
        recall = hand.recall([hand.row(said) for said in wordings(20)])
        yield _figure("words", "words over HTTP", spent, bare, WORDS_WANTED, ALLOWED, recall)
        spent, bare = alternate(
            lambda: client.search_by_photo(next(pictures), {"text": MATERIAL}),
            lambda: hand.search_by_photo(next(pictures), MATERIAL),
            PHOTOS,
            warm=WARM,
        )
        recall = hand.recall([hand.row(MATERIAL, photo) for photo in chosen[:20]])
        yield _figure("photo-and-words", "a photo and words over HTTP", spent, bare, PHOTO_WANTED, 0.0, recall)
        spent, bare = alternate(
            lambda: client.search_by_photo(next(pictures), {"text": f"in {COLOUR}"}),
            lambda: hand.search_recoloured(next(pictures), f"in {COLOUR}", COLOUR),
            PHOTOS,
            warm=WARM,
        )
        yield _figure("photo-and-colour", "a photo in another colour over HTTP", spent, bare, None, 0.0, recall)


@contextmanager
def by_hand(home: Path) -> Iterator[ByHand]:
    """On a copy of the published build's shard."""
    settings = load_settings().model_copy(update={"home": home})
    database = open_catalogue(settings)
    _, build = published_build(database, SHOWROOM)
    manifest, layout = read_layout(database, build)
    with tempfile.TemporaryDirectory(prefix="vitrine-") as folder, DecoderPool.of(settings.images) as decoders:
        shard = Path(folder) / "shard"
        shutil.copytree(EdgeStores(home).path(build) / "shard", shard)
        encoder = encoder_of(manifest, settings)
        yield ByHand(bare_of(shard, manifest, encoder, layout.lexicon, settings.search), decoders)


def _figure(
    name: str,
    what: str,
    spent: Sequence[float],
    bare: Sequence[float],
    wanted: Wanted | None,
    allowed: float,
    beside: dict[str, float],
) -> Figure:
    return Figure.of(
        f"search.http.{name}",
        what,
        spent,
        against=AGAINST,
        baseline=bare,
        allowed=allowed,
        wanted=wanted,
        beside_baseline=beside,
    )
