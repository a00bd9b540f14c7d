"""What the path of photos on a GPU does that needs none: batches of one size, order, bytes, compiling."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from indexer.domain import Matrix, Pixels
from indexer.encoders.cuda import Compiling, FixedBatches, Forward, from_bytes, on_gpu
from indexer.images.fit import Fit, fit

CPU = torch.device("cpu")
BATCH = 8
SIZE = (6, 5)
FRAME = Fit(SIZE)
NEVER = Compiling(after=1_000_000)
AT_ONCE = Compiling(after=0, backend="eager")
NORMALISATION = torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1), torch.tensor([0.2, 0.25, 0.3]).view(1, 3, 1, 1)


class Tower:
    """One matrix; remembers what it was given."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._matrix = torch.from_numpy(random.normal(size=(3 * SIZE[0] * SIZE[1], 4)).astype(np.float32))
        self.batches: list[torch.Tensor] = []

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.batches.append(images)
        return self.project(images)

    def project(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().flatten(1) @ self._matrix

    def expected(self, images: list[Pixels]) -> Matrix:
        mean, deviation = (channel.numpy().reshape(3) for channel in NORMALISATION)
        normal = ((np.stack(images) / 255.0 - mean) / deviation).transpose(0, 3, 1, 2)
        rows = normal.reshape(len(images), -1) @ self._matrix.numpy()
        unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def photos(count: int) -> list[Pixels]:
    return list(np.random.default_rng(count).integers(0, 256, (count, *SIZE, 3), np.uint8))


def fixed(forward: Forward, compiling: Compiling = NEVER) -> FixedBatches:
    return FixedBatches(forward, FRAME, BATCH, CPU, compiling)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 16, 21, 40])
def test_every_photo_gets_its_own_unit_row_in_order(count: int) -> None:
    tower = Tower()
    encode = fixed(from_bytes(tower, NORMALISATION, torch.float32))
    images = photos(count)

    for _ in range(2):  # what a buffer held before counts for nothing
        rows = encode(images)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, tower.expected(images), atol=1e-5)


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (2, [2]), (3, [8]), (8, [8]), (10, [8, 2]), (21, [8, 8, 8])])
def test_a_tower_sees_whole_batches_and_a_few_photos_as_they_are(count: int, sizes: list[int]) -> None:
    tower = Tower()

    fixed(from_bytes(tower, NORMALISATION, torch.float32))(photos(count))

    assert [len(batch) for batch in tower.batches] == sizes


def test_a_photo_of_another_size_is_fitted() -> None:
    tower = Tower()
    encode = fixed(from_bytes(tower, NORMALISATION, torch.float32))
    large = np.random.default_rng(1).integers(0, 256, (24, 30, 3), np.uint8)

    for images in ([large], [large, *photos(BATCH - 1)]):
        alone = tower.expected([fit(Image.fromarray(large), FRAME)])
        np.testing.assert_allclose(encode(images)[:1], alone, atol=1e-5)


def test_photos_travel_as_bytes_and_reach_the_tower_with_its_weights_type_channels_last() -> None:
    tower, travelled = Tower(), []
    forward = from_bytes(tower, NORMALISATION, torch.bfloat16)

    def watched(pixels: torch.Tensor) -> torch.Tensor:
        travelled.append(pixels.dtype)
        return forward(pixels)

    fixed(watched)(photos(BATCH))

    assert travelled == [torch.uint8]
    assert tower.batches[0].dtype == torch.bfloat16
    assert tower.batches[0].is_contiguous(memory_format=torch.channels_last)


def test_a_compiled_tower_gives_the_same_rows(caplog: pytest.LogCaptureFixture) -> None:
    tower = Tower()
    encode = fixed(from_bytes(tower.project, NORMALISATION, torch.float32), AT_ONCE)
    images = photos(21)

    np.testing.assert_allclose(encode(images), tower.expected(images), atol=1e-5)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_compiling_waits_until_it_pays() -> None:
    tower, traced = Tower(), []

    def traceable(images: torch.Tensor) -> torch.Tensor:
        if torch.compiler.is_compiling():
            traced.append(len(images))
        return tower.project(images)

    encode = fixed(from_bytes(traceable, NORMALISATION, torch.float32), Compiling(after=20, backend="eager"))
    seen = []
    for _ in range(4):
        encode(photos(BATCH))
        seen.append(bool(traced))

    assert seen == [False, False, False, True]


def test_a_tower_that_cannot_be_compiled_runs_as_it_is_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    tower = Tower()
    encode = fixed(from_bytes(tower.project, NORMALISATION, torch.float32), Compiling(after=0, backend="no such"))
    images = photos(21)

    with caplog.at_level(logging.WARNING, "indexer.encoders.cuda"):
        for _ in range(3):
            np.testing.assert_allclose(encode(images), tower.expected(images), atol=1e-5)

    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert "without being compiled" in record.getMessage()


def test_a_compiled_tower_that_answers_otherwise_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    tower = Tower()

    def turned(images: torch.Tensor) -> torch.Tensor:
        rows = tower.project(images)
        return -rows if torch.compiler.is_compiling() else rows

    encode = fixed(from_bytes(turned, NORMALISATION, torch.float32), AT_ONCE)
    with caplog.at_level(logging.WARNING, "indexer.encoders.cuda"):
        np.testing.assert_allclose(encode(images := photos(21)), tower.expected(images), atol=1e-5)
    assert "a cosine of -1.0000 with those of the plain tower" in caplog.text


def test_a_cpu_has_no_such_path() -> None:
    assert on_gpu(None, NORMALISATION, torch.float32, FRAME, BATCH) is None
