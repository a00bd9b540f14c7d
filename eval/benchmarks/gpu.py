"""`python -m eval.benchmarks gpu`: how fast this machine's GPUs encode photos and texts.

Random weights, photos of noise in the host's memory. open_clip is used as its README does it, with normalised floats
that are copied to the card; ours is what a build calls, before and after it is compiled. The ways take turns. A share
is of the rate at which the card multiplies two large matrices at the same precision.
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from threading import Barrier
from typing import Any, Final, NamedTuple

import numpy as np
import open_clip
import torch
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from eval.benchmarks.machine import Machine
from indexer.domain import Pixels
from indexer.encoders.cuda import Compiling, FixedBatches, from_bytes
from indexer.encoders.cutting import causal_text
from indexer.images.fit import Fit
from indexer.printing import stdout

ARCHITECTURES: Final = ("ViT-B-32", "ViT-L-14")
DTYPES: Final = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
ROUNDS: Final = 5
LENGTHS: Final = (8, 16, 32, 77)
"""Tokens of a text."""
MATRIX: Final = 8192
NOW, NEVER = Compiling(after=0), Compiling(after=1 << 62)


class Rate(NamedTuple):
    """Of one way to encode: items per second, and its share of the card's products of matrices."""

    what: str
    per_second: float
    share: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m eval.benchmarks gpu")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--batches", type=int, default=20)
    arguments = parser.parse_args()
    console, cards = stdout(), torch.cuda.device_count()
    if not cards:
        console.print("No GPU is at hand: nothing was measured.")
        return
    logging.disable(logging.WARNING)  # open_clip's, of random weights
    half = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    console.print(f"{cards} × {torch.cuda.get_device_name()}, torch {torch.__version__}, {Machine.this()}")
    for architecture in ARCHITECTURES:
        size = arguments.batch, arguments.batches
        rates = [*photos(architecture, half, "cuda:0", *size), *texts(architecture, half, "cuda:0", arguments.batch)]
        if cards > 1:
            rates.append(all_cards(architecture, half, cards, *size))
        console.print(_table(architecture, rates))


def photos(architecture: str, half: str, device: str, batch: int, batches: int) -> list[Rate]:
    """open_clip at full and at half precision, ours at half."""
    images = noise(batch * batches, frame_of(architecture))
    floats = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).div(255).sub(0.5).contiguous()
    full, model = model_of(architecture, "fp32", device), model_of(architecture, half, device)
    ways: dict[str, Callable[[], object]] = {
        "photos, open_clip fp32": partial(_as_its_readme, full, floats, batch, torch.float32, device),
        f"photos, open_clip {half}": partial(_as_its_readme, model, floats, batch, DTYPES[half], device),
        f"photos, ours {half}": partial(ours(architecture, model, half, device, batch, NEVER), images),
        f"photos, ours {half}, compiled": partial(ours(architecture, model, half, device, batch, NOW), images),
    }
    flops = flops_per_photo(architecture)
    peaks = {precision: peak(precision, device) for precision in ("fp32", half)}
    return [
        Rate(what, rate, rate * flops / peaks["fp32" if "fp32" in what else half])
        for what, rate in in_turn(ways, len(images)).items()
    ]


def texts(architecture: str, half: str, device: str, batch: int) -> list[Rate]:
    """Tokens that are on the card already, of texts of several lengths; only what is not padding is encoded."""
    model = model_of(architecture, half, device)
    causal = causal_text(model)
    if causal is None:
        return []
    tokens = torch.randint(1, 1_000, (batch, max(LENGTHS)), device=device)
    ways = {f"texts of {n} tokens, {half}": partial(_features, causal, tokens[:, :n].contiguous()) for n in LENGTHS}
    return [Rate(what, rate) for what, rate in in_turn(ways, batch).items()]


def all_cards(architecture: str, half: str, cards: int, batch: int, batches: int) -> Rate:
    """A process for each, all at work at the same time, as a build with several devices has them."""
    spawn = get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(cards, mp_context=spawn) as processes:
        call = partial(_rate_of_ours, architecture, half, batch, batches, manager.Barrier(cards))
        rates = list(processes.map(call, [f"cuda:{card}" for card in range(cards)]))
    return Rate(f"photos, ours {half}, {cards} cards", sum(rates))


def _rate_of_ours(architecture: str, half: str, batch: int, batches: int, together: Barrier, device: str) -> float:
    images = noise(batch * batches, frame_of(architecture))
    encode = ours(architecture, model_of(architecture, half, device), half, device, batch, NEVER)
    encode(images[:batch])
    together.wait()
    return in_turn({"ours": partial(encode, images)}, len(images))["ours"]


def ours(
    architecture: str, model: Any, precision: str, device: str, batch: int, compiling: Compiling
) -> Callable[[Sequence[Pixels]], object]:
    half = torch.full((1, 3, 1, 1), 0.5, device=device)
    model.visual.to(memory_format=torch.channels_last)
    forward = from_bytes(model.encode_image, (half, torch.ones_like(half)), DTYPES[precision])
    return FixedBatches(forward, Fit(frame_of(architecture)), batch, torch.device(device), compiling)


def in_turn(ways: Mapping[str, Callable[[], object]], items: int) -> dict[str, float]:
    """Items per second of each, the median of several rounds after one that does not count."""
    seconds: dict[str, list[float]] = {what: [] for what in ways}
    for _ in range(1 + ROUNDS):
        for what, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[what].append(time.perf_counter() - start)
    return {what: items / statistics.median(spent[1:]) for what, spent in seconds.items()}


def peak(precision: str, device: str) -> float:
    """FLOP per second of one large product of matrices."""
    matrix = torch.randn(MATRIX, MATRIX, device=device, dtype=DTYPES[precision])
    rates = in_turn({"product": partial(_product, matrix)}, 1)
    return rates["product"] * 2 * MATRIX**3


def flops_per_photo(architecture: str) -> int:
    """Of products of matrices and attention; nothing is computed for it."""
    with torch.device("meta"):  # from the start: millions of random weights would be drawn to be thrown away
        model = model_of(architecture, "fp32", "meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model.encode_image(torch.zeros(1, 3, *frame_of(architecture), device="meta"))
    flops: int = counter.get_total_flops()
    return flops


def model_of(architecture: str, precision: str, device: str) -> Any:
    torch.manual_seed(0)
    model = open_clip.create_model(architecture, load_weights=False, precision=precision, device=device)
    return model.eval().requires_grad_(False)


def frame_of(architecture: str) -> tuple[int, int]:
    side = open_clip.get_model_config(architecture)["vision_cfg"]["image_size"]
    return side, side


def noise(count: int, size: tuple[int, int]) -> list[Pixels]:
    """Few that differ, many times: an encoder takes as long for each."""
    some = list(np.random.default_rng(0).integers(0, 256, (min(count, 64), *size, 3), np.uint8))
    return [some[number % len(some)] for number in range(count)]


def _as_its_readme(model: Any, images: torch.Tensor, batch: int, dtype: torch.dtype, device: str) -> None:
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            features = model.encode_image(images[start : start + batch].to(device, dtype))
            torch.nn.functional.normalize(features, dim=-1).float().cpu()


def _features(tower: Any, tokens: torch.Tensor) -> None:
    with torch.inference_mode():
        torch.nn.functional.normalize(tower(tokens), dim=-1).float().cpu()


def _product(matrix: torch.Tensor) -> None:
    """Read back in part, so that it has come to its end."""
    (matrix @ matrix)[0, 0].item()


def _table(architecture: str, rates: Sequence[Rate]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(architecture, no_wrap=True)
    for heading in ("per second", "share of the card"):
        table.add_column(heading, justify="right")
    for what, rate, share in rates:
        table.add_row(what, f"{rate:,.0f}", "–" if share is None else f"{share:.0%}")
    return table
