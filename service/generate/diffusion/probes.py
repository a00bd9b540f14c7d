"""Looks into a pipeline while it draws: for whoever wants to know why a picture came out as it did. Off by default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.domain import Pixels
from indexer.generate_settings import DiffusionSettings
from indexer.images.colour import ciede2000, srgb_to_lab
from service.generate.diffusion.attention import Gaze, watching
from service.generate.diffusion.drawing import Drawing, Extras, Planned
from service.generate.diffusion.generator import Diffusion
from service.generate.diffusion.loading import Loader
from service.generate.diffusion.table import Way
from service.generate.seam import Generated, Request, Watch

if TYPE_CHECKING:
    import torch

Series = tuple[float, ...]
Latents = npt.NDArray[np.float32]
"""Of one picture: (channels, values)."""
_TINY: Final = 1e-12
PATCHES: Final = (4, 6)
"""Rows and columns of the card that is sent through the decoder and back."""


@dataclass(frozen=True)
class RoundTrip:
    """What is lost of a known picture, a card of plain colours, that is encoded and decoded again."""

    psnr: float
    """In decibels; above 30 is hardly seen."""
    colour: float
    """Mean CIEDE2000."""


@dataclass(frozen=True)
class Findings:
    """Of one picture, by steps."""

    tokens: int
    """Of the words, without start, end and padding."""
    entropy: Series
    """Bits, 0 to log₂ of `tokens`: how evenly a spot of the picture looks at the words, on average over spots, heads
    and layers. Words that nothing looks at in particular change nothing in particular."""
    change: Series
    """Length of the latents' change from each step to the next, as a share of their length before it."""
    signal: tuple[Series, ...]
    """By steps but the last, of each channel of the latents: decibels of what is in the final ones over all else."""
    round_trip: RoundTrip


@dataclass(frozen=True, eq=False)
class Probed:
    picture: Generated
    findings: Findings


def probe(settings: DiffusionSettings, request: Request, most_side: int, watch: Watch) -> Probed:
    """Draws the first picture that is asked for, as `Diffusion` does but not compiled, and looks on.

    Of a refined picture the words' entropy is that of the base. Raises Unsuited, GenerationFailed, Cancelled.
    """
    found: list[Findings] = []
    alone = replace(request, count=1)
    drawer = Diffusion(
        settings.model_copy(update={"compile": False}), 1, most_side, lambda extras: _Looking(extras, found.append)
    )
    try:
        (picture,) = drawer.make(alone, drawer.plan(alone), watch)
    finally:
        drawer.close()
    return Probed(picture, found[-1])


class _Looking:
    """Other extras, with a pipeline that is looked into; `found` is told what was seen."""

    def __init__(self, inner: Extras, found: Callable[[Findings], None]) -> None:
        self._inner = inner
        self._found = found

    def plan(self, request: Request, way: Way, image: Pixels | None) -> Planned:
        return self._inner.plan(request, way, image)

    def arguments(self, drawings: Sequence[Drawing]) -> Mapping[str, Any]:
        return self._inner.arguments(drawings)

    def pipe(self, loader: Loader, drawing: Drawing) -> Any:
        return _Seen(self._inner.pipe(loader, drawing), drawing, self._found)


class _Seen:
    """A pipeline that is looked into while it draws."""

    def __init__(self, pipe: Any, drawing: Drawing, found: Callable[[Findings], None]) -> None:
        self.__dict__.update(_pipe=pipe, _drawing=drawing, _found=found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._pipe, name, value)

    def __call__(self, *, callback_on_step_end: Callable[..., dict[str, Any]], **told: Any) -> Any:
        latents: list[Latents] = []

        def after_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            latents.append(_by_channel(tensors["latents"][0]))
            return callback_on_step_end(pipe, step, timestep, tensors)

        row, pictures = self._drawing.row, len(told["prompt"])
        gaze = _gaze(getattr(self._pipe, row.tokenizer), self._drawing)
        denoiser = self._pipe.unet if hasattr(self._pipe, "unet") else self._pipe.transformer
        with watching(denoiser, gaze, pictures):
            drawn = self._pipe(**told, callback_on_step_end=after_step)
        self._found(
            Findings(
                tokens=gaze.words.stop - gaze.words.start,
                entropy=tuple(gaze.entropies),
                change=_change(latents),
                signal=tuple(zip(*(_signal(one, latents[-1]) for one in latents[:-1]), strict=True)),
                round_trip=_round_trip(self._pipe),
            )
        )
        return drawn


def _gaze(tokenizer: Any, drawing: Drawing) -> Gaze:
    """CLIP begins with a sign for the start, T5 does not; both end with one for the end."""
    row = drawing.row
    places = tokenizer(drawing.recipe.prompt, truncation=True, max_length=row.tokens).input_ids
    start = int(places[0] == tokenizer.bos_token_id)
    return Gaze(slice(start, len(places) - 1), row.tokens)


def _by_channel(latents: "torch.Tensor") -> Latents:
    """Of one picture, to (channels, values); FLUX packs two by two of a channel beside each other."""
    values = latents.detach().float().cpu().numpy()
    if values.ndim == 2:
        return np.moveaxis(values.reshape(len(values), -1, 4), 1, 0).reshape(values.shape[1] // 4, -1)
    return values.reshape(len(values), -1)


def _change(latents: Sequence[Latents]) -> Series:
    return tuple(float(np.linalg.norm(after - before) / np.linalg.norm(before)) for before, after in pairwise(latents))


def _signal(latents: Latents, final: Latents) -> Series:
    """The final latents' share is found by least squares, for schedulers scale them each in their own way."""
    centred, aim = (values - values.mean(axis=1, keepdims=True) for values in (latents, final))
    share = (centred * aim).sum(axis=1) / np.maximum((aim**2).sum(axis=1), _TINY)
    wanted = ((share[:, None] * aim) ** 2).sum(axis=1)
    rest = ((centred - share[:, None] * aim) ** 2).sum(axis=1)
    return tuple((10 * np.log10(np.maximum(wanted, _TINY) / np.maximum(rest, _TINY))).tolist())


def card(side: int = 64) -> Pixels:
    """Plain colours over the whole gamut, uint8 (PATCHES × side, 3)."""
    rows, columns = PATCHES
    levels = np.linspace(0, 255, rows * columns).astype(np.uint8)
    patches = np.stack([levels, np.roll(levels, 7)[::-1], np.roll(levels, 13)], axis=-1).reshape(rows, columns, 3)
    return np.kron(patches, np.ones((side, side, 1), np.uint8))


def _round_trip(pipe: Any) -> RoundTrip:
    """In single precision, so that what is lost is lost by the model."""
    import torch

    before, device = card(), pipe._execution_device
    pipe.remove_all_hooks()
    vae = pipe.vae.to(device, torch.float32)
    with torch.no_grad():
        shown = pipe.image_processor.preprocess(Image.fromarray(before)).to(device)
        again = vae.decode(vae.encode(shown).latent_dist.mode(), return_dict=False)[0]
        levels = pipe.image_processor.postprocess(again, output_type="np")[0]
    after = np.rint(levels * 255).astype(np.uint8)
    error = float(((after.astype(float) - before) ** 2).mean())
    colour = float(ciede2000(srgb_to_lab(before), srgb_to_lab(after)).mean())
    return RoundTrip(psnr=10 * log10(255**2 / max(error, _TINY)), colour=colour)
