"""How fast torch and the export of its model are on a catalogue's own texts and photos, and whether they agree."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from indexer.domain import Matrix, Pixels
from indexer.encoders.choice import Measured, Pace, Runtime, Tried
from indexer.encoders.exported.record import Towers
from indexer.encoders.seam import Encoder, EncoderSpec

SINGLES: Final = 16
"""Texts that are encoded one by one, as queries are, and timed."""
CHUNK: Final = 16
"""Photos of one timed call."""


class Sample(NamedTuple):
    """Of a catalogue; the first texts are those of the photos, one by one."""

    texts: tuple[str, ...]
    photos: tuple[Pixels, ...]


def measure(encoders: Mapping[Runtime, Encoder], pairs: Sequence[Towers], sample: Sample) -> Measured:
    """`encoders` are torch's and one or two of the export; all pairs of towers come from what those gave.

    A tower that has no int8 form is the same in both. Raises what the encoders raise.
    """
    from indexer.encoders.exported.agreement import agree

    for encoder in encoders.values():
        encoder.encode_texts(sample.texts[:1])
        encoder.encode_images(sample.photos[:1])
    singles, rest = [(text,) for text in sample.texts[:SINGLES]], sample.texts[SINGLES:]
    texts = {name: _Timed(encoder.encode_texts) for name, encoder in encoders.items()}
    _in_turn(texts, [*singles, rest] if rest else singles)
    photos = {name: _Timed(encoder.encode_images) for name, encoder in encoders.items()}
    _in_turn(photos, [sample.photos[start : start + CHUNK] for start in range(0, len(sample.photos), CHUNK)])
    spec = encoders["torch"].spec

    def given(text: Runtime, image: Runtime) -> Encoder:
        return _Given(spec, texts[text].rows(spec.dim), photos[image].rows(spec.dim))

    tried = []
    for towers in pairs:
        found = agree(given("torch", "torch"), given(towers.text, towers.image), sample.texts, sample.photos)
        tried.append(Tried(towers=towers, agrees=found.passes, figures=found.model_dump()))
    return Measured(
        texts=len(sample.texts),
        photos=len(sample.photos),
        paces={name: Pace(text=texts[name].pace(SINGLES), photo=photos[name].pace()) for name in encoders},
        tried=tuple(tried),
    )


class _Timed:
    """The rows that calls gave, and how long each took for one item."""

    def __init__(self, encode: Callable[[Any], Matrix]) -> None:
        self._encode = encode
        self._rows: list[Matrix] = []
        self._seconds: list[float] = []

    def __call__(self, items: Sequence[Any]) -> None:
        began = time.perf_counter()
        self._rows.append(self._encode(items))
        self._seconds.append((time.perf_counter() - began) / len(items))

    def rows(self, dim: int) -> Matrix:
        return np.concatenate(self._rows) if self._rows else np.empty((0, dim), np.float32)

    def pace(self, calls: int | None = None) -> float:
        """Median seconds for one item of the first calls; 0 where there were none."""
        return statistics.median(self._seconds[:calls]) if self._seconds else 0.0


class _Given:
    """What an encoder gave for the sample, to who asks for all of it again."""

    def __init__(self, spec: EncoderSpec, texts: Matrix, photos: Matrix) -> None:
        self.spec = spec
        self._texts = texts
        self._photos = photos

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self._texts[: len(texts)]

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._photos[: len(images)]


def _in_turn(calls: Mapping[Runtime, _Timed], parts: Sequence[Sequence[Any]]) -> None:
    """Every part by one after the other, so that what else the machine does slows them all."""
    for part in parts:
        for call in calls.values():
            call(part)
