"""Nearer is brighter, whatever a depth estimator means by its numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from indexer.domain import Pixels
from service.generate.diffusion.depth import DepthEstimator
from service.generate.diffusion.parts import MODEL
from service.generate.diffusion.weights import located
from service.generate.seam import GenerationFailed
from tests.service.generate.diffusion.worlds import product
from tests.tiny_diffusion.controls import write_depth_estimator

PICTURE = product(60, 80)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("depth") / "near"
    write_depth_estimator(folder)
    return folder


def depth(folder: Path, pixels: Pixels = PICTURE) -> Pixels:
    return DepthEstimator(located(str(folder), MODEL), torch.device("cpu")).depth(pixels)


def test_it_is_stretched_from_black_to_white_in_the_shape_of_the_picture(near: Path) -> None:
    found = depth(near)

    assert found.shape == PICTURE.shape
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)
    assert np.array_equal(found[..., 0], found[..., 1])
    assert np.array_equal(found[..., 0], found[..., 2])


def test_metres_are_turned_round(near: Path, tmp_path: Path) -> None:
    """The two differ in the last layer only, which grows with what comes before it in both."""
    write_depth_estimator(tmp_path / "far", "metric")

    order = np.corrcoef(depth(near)[..., 0].ravel(), depth(tmp_path / "far")[..., 0].ravel())[0, 1]

    assert order < -0.8


def test_nothing_nearer_than_the_rest_is_black(near: Path, tmp_path: Path) -> None:
    assert not depth(changed(near, tmp_path, factor=0.0)).any()


def test_numbers_out_of_range_are_no_depth(near: Path, tmp_path: Path) -> None:
    with pytest.raises(GenerationFailed, match="came to no depth"):
        depth(changed(near, tmp_path, factor=float("nan")))


def changed(near: Path, folder: Path, factor: float) -> Path:
    """With all weights but the constant parts multiplied."""
    write_depth_estimator(folder)
    weights = load_file(near / "model.safetensors")
    scaled = {name: value * factor if value.dim() > 1 else value for name, value in weights.items()}
    save_file(scaled, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
