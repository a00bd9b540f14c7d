"""A probe sees what a pipeline does, and changes nothing of it."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from math import isfinite, log2
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from indexer.generate_settings import DiffusionSettings, PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.diffusion.probes import Probed, probe
from service.generate.seam import Cancelled, Unsuited, Watch
from tests.service.generate.diffusion.worlds import MOST_SIDE, asked, diffusion, draw, watch
from tests.tiny_diffusion.controls import write_ip_adapter
from tests.tiny_diffusion.flux import write_schnell
from tests.tiny_diffusion.sdxl import write_refiner

LETTERS = len("abluethecd")
"""Tokens of `WORDS`: the tiny tokenizer knows letters only."""
WORDS = "a blue thecd"
Prober = Callable[..., Probed]


@pytest.fixture(scope="module")
def weights(sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("probes")
    write_ip_adapter(folder / "ip_adapter", sdxl)
    write_refiner(folder / "refiner")
    write_schnell(folder / "flux")
    return {"sdxl": sdxl, **{name: folder / name for name in ("ip_adapter", "refiner", "flux")}}


def settings_of(weights: Mapping[str, Path], base: str = "sdxl") -> dict[str, Any]:
    rows = {"sdxl-text", "sdxl-image", "sdxl-control", "sdxl-turbo", "sdxl-inpaint"}
    pipelines = dict.fromkeys(rows, str(weights[base])) | {"flux-schnell": str(weights["flux"])}
    extras = {name: str(weights[name]) for name in ("ip_adapter", "refiner")}
    return {"pipelines": pipelines, **extras}


@pytest.fixture(scope="module")
def probed(weights: Mapping[str, Path]) -> Prober:
    def probed(row: PipelineName, base: Path | None = None, looking: Watch | None = None, **fields: Any) -> Probed:
        given = settings_of({**weights, "sdxl": base or weights["sdxl"]})
        request = asked(row, **{"caption": WORDS} | fields)
        return probe(DiffusionSettings(**given, device="cpu"), request, MOST_SIDE, looking or watch())

    return probed


@pytest.fixture(scope="module")
def unlooked(weights: Mapping[str, Path]) -> Iterator[Diffusion]:
    drawer = diffusion(weights["sdxl"], **settings_of(weights))
    yield drawer
    drawer.close()


@pytest.mark.parametrize(
    ("row", "fields", "looks"),
    [
        ("sdxl-text", {}, 4),
        ("sdxl-inpaint", {"strength": 1.0}, 4),
        ("sdxl-control", {"strength": 1.0}, 4),
        ("sdxl-turbo", {"strength": 1.0}, 4),
        ("sdxl-text", {"mode": "final", "steps": 10}, 8),
        ("flux-schnell", {"reference": None}, 4),
    ],
    ids=["words", "mask", "adapter", "no guidance", "refined", "flux"],
)
def test_every_step_is_seen_and_the_picture_is_that_of_nobody_looking(
    probed: Prober, unlooked: Diffusion, row: PipelineName, fields: dict[str, Any], looks: int
) -> None:
    seen = probed(row, **fields)
    (unseen,) = draw(unlooked, asked(row, **{"caption": WORDS} | fields))

    steps = fields.get("steps", 4)
    found = seen.findings
    assert np.array_equal(seen.picture.pixels, unseen.pixels)
    assert len(found.entropy) == looks
    assert all(0 < bits <= log2(found.tokens) + 1e-6 for bits in found.entropy)
    assert len(found.change) == steps - 1
    assert all(share > 0 for share in found.change)
    assert {len(line) for line in found.signal} == {steps - 1}
    assert len(found.signal) == 4, "channels"
    assert all(line[-1] > line[0] for line in found.signal), "noise gives way"


def test_tokens_are_those_of_the_words(probed: Prober) -> None:
    assert probed("sdxl-text", steps=1).findings.tokens == LETTERS


def test_one_step_has_nothing_between_steps(probed: Prober) -> None:
    found = probed("sdxl-text", steps=1).findings

    assert len(found.entropy) == 1
    assert found.change == ()
    assert found.signal == ()


def test_a_pipeline_that_looks_at_no_word_in_particular_has_the_most_entropy(
    probed: Prober, sdxl: Path, tmp_path: Path
) -> None:
    even = probed("sdxl-text", asking(sdxl, tmp_path / "nothing", times=0.0), steps=2).findings
    keen = probed("sdxl-text", asking(sdxl, tmp_path / "much", times=1000.0), steps=2).findings

    assert even.entropy == pytest.approx([log2(LETTERS)] * 2)
    assert max(keen.entropy) < 0.8 * log2(LETTERS)


def test_what_the_decoder_loses_does_not_depend_on_the_picture(probed: Prober) -> None:
    one, other = (probed("sdxl-text", steps=1, seed=seed).findings.round_trip for seed in (0, 1))

    assert one == other
    assert isfinite(one.psnr)
    assert one.colour > 0


def test_a_probe_is_cancelled_and_refused_as_a_drawing_is(probed: Prober) -> None:
    with pytest.raises(Cancelled):
        probed("sdxl-text", looking=watch(cancelled=lambda: True))
    with pytest.raises(Unsuited, match="name its weights"):
        probed("sdxl-lightning")


def asking(sdxl: Path, folder: Path, times: float) -> Path:
    """The same weights, but that the picture's queries to the words are so many times as large."""
    shutil.copytree(sdxl, folder)
    (file,) = (folder / "unet").glob("*.safetensors")
    changed = {
        name: value * times if name.endswith("attn2.to_q.weight") else value for name, value in load_file(file).items()
    }
    save_file(changed, file, metadata={"format": "pt"})
    return folder
