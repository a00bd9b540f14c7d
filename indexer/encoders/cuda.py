"""Photos through a tower on a GPU, at one batch size, so that the card waits for nobody.

Two pinned buffers take turns: while the card works on one batch, the next is put together and copied as bytes on a
stream of its own; scaling and normalising are done on the card. A batch is one CUDA graph, and is compiled once a
process has seen so many photos that compiling pays. Where either fails, or answers otherwise, the plain tower answers.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np
import torch

from indexer.domain import Matrix, Pixels
from indexer.encoders.framing import fitted, framed
from indexer.images.fit import Fit

LOG = logging.getLogger(__name__)
ALIKE: Final = 0.999
"""Least cosine of a faster way's vectors with the plain one's, of the first batch; rounding to bf16 costs less."""

Forward = Callable[[torch.Tensor], torch.Tensor]
"""uint8 (n, height, width, 3) → unit rows (n, dim) of float32, both on the device."""


@dataclass(frozen=True, slots=True)
class Compiling:
    after: int = 200_000
    """Photos of one process: compiling takes a minute or so, which a gain of about a fifth has to bring back."""
    backend: str = "inductor"
    """As `torch.compile` names it."""


class FixedBatches:
    """Call it from any thread, with one photo or more; rows are in the photos' order.

    A batch that is not full is filled up with what its buffer held before; one of a quarter or less, such as a
    shopper's one photo, runs as it is. On a CPU all but the graph and the streams is the same.
    """

    def __init__(self, forward: Forward, frame: Fit, batch: int, device: torch.device, compiling: Compiling) -> None:
        """`forward` is one of `from_bytes`."""
        self._plain = forward
        self._fixed: Forward | None = None
        self._frame = frame
        self._batch = batch
        self._device = device
        self._compiling: Compiling | None = compiling
        self._seen = 0
        self._lock = Lock()
        with _on(device):
            self._slots = [_slot((batch, *frame.size, 3), device) for _ in range(2)]

    def __call__(self, images: Sequence[Pixels]) -> Matrix:
        """Unit rows (n, dim), float32. Raises what the tower itself raises."""
        starts = range(0, len(images), self._batch)
        with self._lock, torch.inference_mode(), _on(self._device):
            parts = [self._rows(images[start : start + self._batch], turn) for turn, start in enumerate(starts)]
            rows: Matrix = torch.cat(parts).cpu().numpy()
            self._seen += len(images)
        return rows

    def _rows(self, images: Sequence[Pixels], turn: int) -> torch.Tensor:
        if len(images) * 4 <= self._batch:
            return self._plain(torch.from_numpy(framed(images, self._frame)).to(self._device))
        slot = self._slots[turn % 2]
        pixels = slot.load([fitted(image, self._frame) for image in images])
        rows = self._forward(pixels)(pixels)
        slot.read()
        return rows[: len(images)]

    def _forward(self, pixels: torch.Tensor) -> Forward:
        """The fastest there is by now for a whole batch."""
        if self._fixed is None:
            self._fixed = self._captured(self._plain, pixels)
        if self._compiling is not None and self._seen >= self._compiling.after:
            self._fixed = self._compiled(self._compiling.backend, pixels) or self._fixed
            self._compiling = None
        return self._fixed

    def _captured(self, forward: Forward, pixels: torch.Tensor) -> Forward:
        if self._device.type != "cuda":
            return forward
        try:
            return self._proved(_Graph(forward, pixels), pixels)
        except RuntimeError as error:
            LOG.warning("The image tower runs without a CUDA graph: %s", _first_line(error))
            return forward

    def _compiled(self, backend: str, pixels: torch.Tensor) -> Forward | None:
        try:
            faster = self._proved(torch.compile(self._plain, dynamic=False, backend=backend), pixels)
        except RuntimeError as error:
            LOG.warning("The image tower runs without being compiled: %s", _first_line(error))
            return None
        return self._captured(faster, pixels)

    def _proved(self, faster: Forward, pixels: torch.Tensor) -> Forward:
        """Raises RuntimeError when its rows are others than the plain tower's."""
        least = float((faster(pixels) * self._plain(pixels)).sum(dim=-1).min())
        if least < ALIKE:
            raise RuntimeError(f"its vectors have a cosine of {least:.4f} with those of the plain tower")
        return faster


def on_gpu(
    model: Any, normalisation: tuple[torch.Tensor, torch.Tensor], dtype: torch.dtype, frame: Fit, batch: int
) -> FixedBatches | None:
    """For an open_clip model whose weights have `dtype`; None on a CPU. `normalisation` is the mean and the deviation
    of each channel, of shape (1, 3, 1, 1), on the model's device."""
    device = normalisation[0].device
    if device.type != "cuda":
        return None
    model.visual.to(memory_format=torch.channels_last)

    def tower(images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = model.encode_image(images, normalize=False)
        return features

    return FixedBatches(from_bytes(tower, normalisation, dtype), frame, batch, device, Compiling())


def from_bytes(
    tower: Callable[[torch.Tensor], torch.Tensor],
    normalisation: tuple[torch.Tensor, torch.Tensor],
    dtype: torch.dtype,
) -> Forward:
    """`tower` takes (n, 3, height, width) of `dtype`, which here lies in memory as channels-last."""
    mean, deviation = normalisation

    def forward(pixels: torch.Tensor) -> torch.Tensor:
        normal = (pixels.permute(0, 3, 1, 2).float() / 255.0 - mean) / deviation
        return torch.nn.functional.normalize(tower(normal.to(dtype)).float(), dim=-1)

    return forward


class _Graph:
    """A forward whose kernels are launched all at once; its batch is always of one size."""

    def __init__(self, forward: Forward, pixels: torch.Tensor) -> None:
        """Raises RuntimeError for a forward that cannot be captured."""
        self._pixels = pixels.clone()
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):  # libraries take their workspaces, and choose their kernels, before they are recorded
                forward(self._pixels)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._rows = forward(self._pixels)

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        self._pixels.copy_(pixels)
        self._graph.replay()
        return self._rows.clone()


class _Slot:
    """A buffer for one batch, in the memory that the tower reads."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._host = torch.zeros(shape, dtype=torch.uint8)

    def load(self, images: Sequence[Pixels]) -> torch.Tensor:
        """The whole buffer, which stays as it is until `read` and the next `load`."""
        np.stack(images, out=self._host.numpy()[: len(images)])
        return self._host

    def read(self) -> None:
        """The work that reads it has been launched."""


class _PinnedSlot(_Slot):
    """Its copy to the device runs beside the work on the other slot."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        super().__init__(shape)
        self._host = self._host.pin_memory()
        self._there = torch.zeros(shape, dtype=torch.uint8, device=device)
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._read = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._read.record()

    def load(self, images: Sequence[Pixels]) -> torch.Tensor:
        self._copied.synchronize()
        host = super().load(images)
        with torch.cuda.stream(self._stream):
            self._stream.wait_event(self._read)
            self._there.copy_(host, non_blocking=True)
            self._copied.record()
        torch.cuda.current_stream().wait_event(self._copied)
        return self._there

    def read(self) -> None:
        self._read.record()


def _slot(shape: tuple[int, ...], device: torch.device) -> _Slot:
    return _PinnedSlot(shape, device) if device.type == "cuda" else _Slot(shape)


def _on(device: torch.device) -> AbstractContextManager[Any]:
    """The device that new streams, events and graphs belong to."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
