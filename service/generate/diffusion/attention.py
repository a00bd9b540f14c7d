"""How evenly a denoiser looks at the words, measured from outside while it works."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass
class Gaze:
    """`words` are the places of the words among the text's keys; `text` is how many keys the text has.

    Text comes first where keys are those of text and picture together, as FLUX has them.
    """

    words: slice
    text: int
    entropies: list[float] = field(default_factory=list)
    """Bits, one for each call of the denoiser: the mean over the layers in which the picture looks at the text."""
    layers: list[float] = field(default_factory=list)
    """Of the call that is under way."""
    at_text: bool = False
    """Whether a layer is at work in which the picture looks at the text."""

    def begin(self, *_: object) -> None:
        self.at_text = True

    def end(self, *_: object) -> None:
        self.at_text = False

    def step_done(self, *_: object) -> None:
        self.entropies.append(sum(self.layers) / len(self.layers))
        self.layers.clear()


@contextmanager
def watching(denoiser: Any, gaze: Gaze, pictures: int) -> Iterator[None]:
    """While it is entered, calls of the denoiser, a UNet or a transformer of FLUX, for so many pictures are measured;
    of several pictures the first, with guidance the one that is drawn along the words."""
    at_text = "attn2" if hasattr(denoiser, "down_blocks") else "attn"
    hooks = [denoiser.register_forward_hook(gaze.step_done)]
    for name, module in denoiser.named_modules():
        if name.rpartition(".")[2] == at_text:
            hooks += [module.register_forward_pre_hook(gaze.begin), module.register_forward_hook(gaze.end)]
    try:
        with _measuring(gaze, pictures):
            yield
    finally:
        for hook in hooks:
            hook.remove()


def _measuring(gaze: Gaze, pictures: int) -> AbstractContextManager[object]:
    """A mode of torch in which attention is measured beside being computed."""
    import torch
    from torch.overrides import TorchFunctionMode

    attention = torch.nn.functional.scaled_dot_product_attention

    class Measuring(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            said = kwargs or {}
            if function is attention and gaze.at_text:
                given = {**dict(zip(("query", "key"), args, strict=False)), **said}
                query, key = given["query"], given["key"]
                if key.shape[-2] >= gaze.text:  # an adapter's image has few keys, and is looked at apart
                    gaze.layers.append(_entropy(query, key, gaze, pictures))
            return function(*args, **said)

    return Measuring()


def _entropy(query: "torch.Tensor", key: "torch.Tensor", gaze: Gaze, pictures: int) -> float:
    """Of shapes (pictures, or twice as many with guidance; heads; places; width)."""
    first = len(query) - pictures
    together = key.shape[-2] > gaze.text
    spots = query[first, :, gaze.text if together else 0 :].float()
    scores = spots @ key[first, :, gaze.words].float().transpose(-1, -2) / query.shape[-1] ** 0.5
    logs = scores.log_softmax(dim=-1)
    return float(-(logs.exp() * logs).sum(dim=-1).mean()) / log(2)
