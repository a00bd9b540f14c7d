"""Photos decoded on one core: what a decoding child does with a file, and what open_clip's own transform does with it.

The first figure of each size has the gate, the hash and the palette in it as well; the second has no palette, which
open_clip's transform does not make. The photos are made up, their spectrum falls with the
frequency as that of photos does, and they are saved as phones save them.
"""

import hashlib
import io
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from open_clip.transform import image_transform
from PIL import Image

from eval.benchmarks.figures import Figure, Given, Wanted, alternate
from indexer.errors import ImageRejected
from indexer.images.child import Decoded, decode_bytes
from indexer.images.fit import Fit, fit
from indexer.images.gate import Limits, open_checked
from indexer.images.normalise import normalise, upright_size
from indexer.settings import ImageSettings

if TYPE_CHECKING:
    from indexer.domain import Pixels

SIDES: Final = (1_000, 1_600)
PHOTOS: Final = 6
ROUNDS: Final = 12
FITTED: Final = Fit((224, 224))
WANTED: Final = Wanted(at_least=2.5)


def figures(given: Given) -> Iterator[Figure]:
    torch.set_num_threads(1)
    transform = image_transform(FITTED.size[0], is_train=False)
    limits = Limits.of(ImageSettings())
    for side in SIDES:
        files = [jpeg(side, number) for number in range(PHOTOS)]
        beside = {"mean difference of 255": difference(files, limits)}
        for name, what, decode in (
            (f"decoding.jpeg-{side}", f"a JPEG of {side}² to 224² on one core", _decode_all),
            (f"decoding.pixels-{side}", f"the same of {side}² without the palette", _fit_all),
        ):
            ours, theirs = alternate(partial(decode, files, limits), partial(_transform_all, files, transform), ROUNDS)
            yield Figure.of(
                name,
                what,
                [spent / PHOTOS for spent in ours],
                kind="speedup",
                against="open_clip's transform: decoded in full, then Resize, CenterCrop, ToTensor, Normalize",
                baseline=[spent / PHOTOS for spent in theirs],
                wanted=WANTED,
                beside=beside,
                threads=1,
            )


def difference(files: Sequence[bytes], limits: Limits) -> float:
    """Mean over all values of how far ours is from the same picture decoded in full, in steps of 255."""
    found = []
    for one, decoded in zip(files, _decode_all(files, limits), strict=True):
        whole = fit(Image.open(io.BytesIO(one)).convert("RGB"), FITTED)
        found.append(float(np.abs(whole.astype(np.int16) - decoded.pixels).mean()))
    return statistics.fmean(found)


def jpeg(side: int, seed: int) -> bytes:
    """A file of quality 90 with halved colours, as sharp as takes about 1.5 bits a pixel."""
    rng = np.random.default_rng([seed, side])
    across = np.fft.rfftfreq(side)[None, :]
    frequency = np.maximum(np.hypot(np.fft.fftfreq(side)[:, None], across), 1 / side)
    light, *tints = (
        np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * frequency**-slope, s=(side, side))
        for slope in (1.5, 1.6, 1.6, 1.6)
    )
    planes = [light / light.std() + 0.4 * tint / tint.std() for tint in tints]
    pixels = np.clip(128 + 48 * np.stack(planes, axis=-1), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, subsampling="4:2:0")
    return file.getvalue()


def _decode_all(files: Sequence[bytes], limits: Limits) -> list[Decoded]:
    return [_decoded(decode_bytes(one, FITTED, limits)) for one in files]


def _fit_all(files: Sequence[bytes], limits: Limits) -> list[tuple[str, "Pixels"]]:
    return [_fitted(one, limits) for one in files]


def _fitted(content: bytes, limits: Limits) -> tuple[str, "Pixels"]:
    """Hash and pixels, as a child makes them."""
    image = open_checked(content, limits)
    upright = normalise(image, FITTED.scaled(*upright_size(image)))
    return hashlib.sha256(content).hexdigest(), fit(upright, FITTED)


def _transform_all(files: Sequence[bytes], transform: Callable[[Image.Image], torch.Tensor]) -> list[torch.Tensor]:
    return [transform(Image.open(io.BytesIO(one))) for one in files]


def _decoded(outcome: object) -> Decoded:
    if not isinstance(outcome, Decoded):
        raise ImageRejected("benchmark", str(outcome))
    return outcome
