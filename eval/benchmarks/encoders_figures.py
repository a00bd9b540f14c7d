"""One text, one photo and a build's call of photos by the exported encoder, and by open_clip as its README uses it.

The README's way is `create_model_and_transforms`, texts padded to the context length, `torch.no_grad()`, fp32. Both
have the same weights and all cores. Texts are as long as shoppers' are, and none is asked twice. Photos are at their
size already: open_clip gets them as normalised floats, ours as bytes. The cosine is the least between the two for one
item; a build takes int8 only where it is .998 and the recall of its own catalogue holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import numpy as np
import open_clip
import torch

from eval.benchmarks.figures import Figure, Given, Missing, Wanted, alternate
from eval.benchmarks.models import by_torch, exported, random_model
from eval.benchmarks.results import wordings
from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder
from indexer.encoders.exported.record import Arithmetic, NotExportable, read_record
from indexer.encoders.exported.runtime import open_exported
from indexer.encoders.openclip import OpenClipEncoder
from indexer.encoders.openclip_files import SHOWROOM

PAUSE: Final = 0.005


@dataclass(frozen=True)
class Measured:
    """A model, how many photos a build gives it together, and how often it is asked for a text and for photos."""

    name: str
    architecture: str | None
    """None: the showroom's own."""
    photos: int
    texts: int
    batches: int


MEASURED: Final = (
    Measured("vit-b-32", "ViT-B-32", 16, 40, 5),
    Measured("vit-l-14", "ViT-L-14", 4, 24, 3),
    Measured("showroom", None, 16, 100, 20),
)


class AsInTheReadme:
    """open_clip by its README."""

    def __init__(self, directory: Path, tokenizer: Any) -> None:
        self._model, _, _ = open_clip.create_model_and_transforms(f"local-dir:{directory}")
        self._model.eval()
        self._tokenizer = tokenizer

    def text(self, words: str) -> Matrix:
        with torch.no_grad():
            features = self._model.encode_text(self._tokenizer([words]))
            features /= features.norm(dim=-1, keepdim=True)
        return self._rows(features)

    def photos(self, normal: torch.Tensor) -> Matrix:
        with torch.no_grad():
            features = self._model.encode_image(normal)
            features /= features.norm(dim=-1, keepdim=True)
        return self._rows(features)

    @staticmethod
    def _rows(features: torch.Tensor) -> Matrix:
        rows: Matrix = features.numpy()
        return rows


def figures(given: Given) -> Iterator[Figure | Missing]:
    for one in MEASURED:
        directory = SHOWROOM if one.architecture is None else random_model(given.work / one.name, one.architecture)
        encoder = by_torch(str(directory))
        try:
            export = exported(encoder, given.work / f"{one.name}-export", wordings(64))
        except NotExportable as error:
            yield Missing(name=f"encoders.{one.name}", why=str(error))
            continue
        readme = AsInTheReadme(directory, encoder.tokenizer)
        exact, *others = read_record(export).towers
        for towers in (exact, *others[-1:]):  # all in fp32, and as much in int8 as there is
            ours = open_exported(export, towers)
            if towers is exact or towers.text == "int8":
                yield _texts(one, towers.text, ours, readme)
            if towers is exact or towers.image == "int8":
                for number in (1, one.photos):
                    yield _photos(one, number, towers.image, ours, readme, encoder)


def _texts(one: Measured, arithmetic: Arithmetic, ours: Encoder, readme: AsInTheReadme) -> Figure:
    asked = wordings(one.texts + 1)
    mine, theirs = cycle(asked), cycle(asked)
    spent, other = alternate(
        lambda: ours.encode_texts([next(mine)]), lambda: readme.text(next(theirs)), one.texts, pause=PAUSE
    )
    few = asked[:16]
    beside = _cosine(ours.encode_texts(few), np.concatenate([readme.text(words) for words in few]))
    return _figure(one, "text", arithmetic, "one text", spent, other, 8.0, beside)


def _photos(
    one: Measured,
    number: int,
    arithmetic: Arithmetic,
    ours: Encoder,
    readme: AsInTheReadme,
    encoder: OpenClipEncoder,
) -> Figure:
    """A query's one, or as many as a build gives at once."""
    pixels = _pixels(number, encoder.spec.fit.size)
    floats = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255.0
    normal = (floats - encoder.mean) / encoder.std
    rounds = max(one.batches, one.texts // (2 * number))
    spent, other = alternate(lambda: ours.encode_images(pixels), lambda: readme.photos(normal), rounds, pause=PAUSE)
    beside = _cosine(ours.encode_images(pixels), readme.photos(normal))
    tower, what = ("photo", "one photo") if number == 1 else ("photos", f"{number} photos")
    return _figure(one, tower, arithmetic, what, spent, other, 4.0, beside)


def _figure(
    one: Measured,
    tower: str,
    arithmetic: Arithmetic,
    what: str,
    spent: Sequence[float],
    other: Sequence[float],
    times: float,
    beside: dict[str, float],
) -> Figure:
    published = one.architecture is not None
    return Figure.of(
        f"encoders.{one.name}.{tower}.{arithmetic}",
        f"{what}, {one.architecture or 'the showroom model'}, exported, {arithmetic}",
        spent,
        kind="speedup",
        against="open_clip as in its README, fp32",
        baseline=other,
        wanted=Wanted(at_least=times) if published and arithmetic == "int8" else None,
        beside=beside,
        threads=torch.get_num_threads(),
    )


def _pixels(number: int, size: tuple[int, int]) -> list[Pixels]:
    """Soft blots, so that photos differ."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (number, 7, 7, 3), dtype=np.uint8)
    rows, columns = (np.arange(side) * 7 // side for side in size)
    return list(np.ascontiguousarray(coarse[:, rows][:, :, columns]))


def _cosine(one: Matrix, other: Matrix) -> dict[str, float]:
    return {"cosine": float((one * other).sum(axis=1).min())}
