import pickle
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.images.fit import Fit, Interpolation, Mode, fit
from tests.indexer.images.drawn import scene

SIZES = [(96, 64), (64, 96), (224, 224), (640, 427), (301, 1000), (33, 640), (500, 17), (224, 100), (31, 33)]


@pytest.fixture(scope="module")
def image_transform() -> Any:
    from open_clip.transform import image_transform

    return image_transform


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("target", [(112, 112), (96, 64), (50, 75)])
def test_pixels_are_those_of_open_clip(
    image_transform: Any, mode: Mode, interpolation: Interpolation, target: tuple[int, int]
) -> None:
    fill = 127 if mode == "longest" else 0
    reference = image_transform(target, False, resize_mode=mode, interpolation=interpolation, fill_color=fill)
    steps = [step for step in reference.transforms if type(step).__name__ not in ("MaybeToTensor", "Normalize")]
    assert len(steps) == len(reference.transforms) - 2
    for size in SIZES:
        image = scene(*size)
        expected = image
        for step in steps:
            expected = step(expected)
        ours = fit(image, Fit(target, mode, interpolation, (fill, fill, fill)))
        assert ours.shape == (*target, 3)
        np.testing.assert_array_equal(ours, np.asarray(expected), err_msg=f"{size} {mode}")


def test_a_fit_travels_and_compares_by_value() -> None:
    spec = Fit((224, 224), "longest", "bilinear", (1, 2, 3))
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert len({spec, Fit((224, 224), "longest", "bilinear", (1, 2, 3))}) == 1


def test_an_extreme_shape_keeps_a_pixel() -> None:
    line = Image.new("RGB", (1000, 10), "red")
    assert fit(line, Fit((16, 16), "longest")).shape == (16, 16, 3)


def test_the_result_is_an_array_of_its_own() -> None:
    result = fit(scene(16, 16), Fit((16, 16)))
    assert result.flags.writeable
    assert result.dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "height", "width"),
    [((640, 427), 67, 100), ((427, 640), 100, 67), ((200, 100), 50, 100), ((90, 40), 40, 90), ((3000, 3), 1, 100)],
)
def test_within_scales_down_only_and_neither_cuts_nor_pads(size: tuple[int, int], height: int, width: int) -> None:
    image = scene(*size)
    spec = Fit((100, 100), "within")
    assert fit(image, spec).shape == (height, width, 3)
    if size == (width, height):
        np.testing.assert_array_equal(fit(image, spec), np.asarray(image))
