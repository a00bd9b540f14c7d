"""`python -m eval.benchmarks indexing`: how much of an index run is not the encoder.

A build of rendered products runs end to end, its encoder calls recorded; then the very same calls run alone, with no
decoding, database or store beside them. Twice each, in turn. The encoder is ViT-B/32 with random weights, the
smallest CLIP anyone serves; decoding alone is printed beside it.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eval.benchmarks.models import random_model
from indexer.bootstrap import open_catalogue
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.domain import ImageRef, Matrix, Pixels
from indexer.encoders import Encoder, EncoderSpec, open_encoder
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.settings import Settings
from indexer.showroom.write import write_showroom
from indexer.sources import open_source

ARCHITECTURE = "ViT-B-32"
ROUNDS = 2
WANTED = 0.90


@dataclass
class Recording:
    """An encoder that remembers its calls, so that they can be made again."""

    inner: Encoder
    images: list[list[Pixels]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)

    @property
    def spec(self) -> EncoderSpec:
        return self.inner.spec

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self.images.append(list(images))
        return self.inner.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.texts.append(list(texts))
        return self.inner.encode_texts(texts)

    def again(self) -> float:
        """Seconds that the recorded calls take by themselves."""
        start = time.perf_counter()
        for images in self.images:
            self.inner.encode_images(images)
        for texts in self.texts:
            self.inner.encode_texts(texts)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=400)
    parser.add_argument("--encoder", help="default: ViT-B/32 with random weights, made once")
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="where photos and models are kept")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source = some_of_the_showroom(arguments.work, work / "shop", arguments.products)
        encoder = open_encoder(
            arguments.encoder or str(random_model(arguments.work / ARCHITECTURE.lower(), ARCHITECTURE))
        )
        encoder.encode_texts(["warm up"])
        print(f"{arguments.products} products, encoder {arguments.encoder or ARCHITECTURE}")
        rounds = [round_of(work / f"home-{number}", source, encoder) for number in range(ROUNDS)]
    for one in rounds:
        print(one)
    best = max(one.alone / one.whole for one in rounds)
    print(f"end to end runs at {best:.1%} of the encoder alone, best of {ROUNDS} (wanted: at least {WANTED:.0%})")


@dataclass(frozen=True)
class Round:
    """Seconds of one build, of its encoder's calls alone, and of decoding its photos alone."""

    photos: int
    whole: float
    alone: float
    decoding: float

    @property
    def rate(self) -> float:
        """Photos per second, as all of these."""
        return self.photos / self.whole

    @property
    def slower(self) -> float:
        return self.photos / max(self.alone, self.decoding)

    @property
    def both(self) -> float:
        """One after the other, on the same cores."""
        return self.photos / (self.alone + self.decoding)

    def __str__(self) -> str:
        return (
            f"end to end {self.rate:7.1f} photos/s   encoder alone {self.photos / self.alone:7.1f} photos/s   "
            f"decoding alone {self.photos / self.decoding:7.1f} photos/s   ratio {self.alone / self.whole:.3f}"
        )


def some_of_the_showroom(work: Path, folder: Path, products: int) -> Path:
    """A catalogue file of its first products in `folder`, with their photos.

    All of them are drawn once, which takes minutes, in `work`, where `showrooms.py` looks for them too.
    """
    return first_of(write_showroom(work / "showroom" / "showroom"), folder, products)


def first_of(source: Path, folder: Path, products: int) -> Path:
    """The first lines of a catalogue file, and copies of their photos."""
    few = folder / source.name
    few.parent.mkdir(parents=True)
    few.write_text("".join(source.read_text("utf-8").splitlines(keepends=True)[:products]), "utf-8")
    for uri in photos_of(few):
        (folder / uri).parent.mkdir(exist_ok=True)
        shutil.copy(source.parent / uri, folder / uri)
    return few


def round_of(home: Path, source: Path, encoder: Encoder) -> Round:
    """One build in a home of its own, and what it is made of by itself."""
    recording = Recording(encoder)
    settings = Settings(home=home)
    photos = photos_of(source)
    whole = build(settings, source, recording)
    return Round(len(photos), whole, recording.again(), _decode(photos, source.parent, encoder, settings))


def build(settings: Settings, source: Path, encoder: Encoder) -> float:
    """Seconds from the source to the published build. A memory store is kept nowhere: nothing of it is written."""
    start = time.perf_counter()
    Pipeline(open_catalogue(settings), settings, encoder).run(open_source(source), "showroom", _silent)
    return time.perf_counter() - start


def photos_of(source: Path) -> list[str]:
    return [uri for line in source.read_text("utf-8").splitlines() for uri in json.loads(line)["images"]]


def _decode(photos: Sequence[str], root: Path, encoder: Encoder, settings: Settings) -> float:
    tasks = [DecodeTask(ImageRef(uri), encoder.spec.fit, root) for uri in photos]
    with DecoderPool.of(settings.images) as decoders:
        decoders.decode(tasks[0])
        start = time.perf_counter()
        for _ in decoders.map(tasks):
            pass
        return time.perf_counter() - start


def _silent(progress: Progress) -> None:
    pass
