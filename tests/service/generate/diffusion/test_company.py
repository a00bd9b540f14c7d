"""Who waits for the same kind of picture is drawn together; who wants another one, or none any more, is not held up."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch

from indexer.generate_settings import DiffusionSettings, PipelineName
from service.generate.diffusion.generator import Diffusion
from service.generate.seam import Cancelled, Generated, GenerationFailed, Request
from tests.deadlines import late
from tests.service.generate.diffusion.worlds import (
    MOST_SIDE,
    REFERENCE,
    asked,
    at_each_denoising,
    diffusion,
    draw,
    furthest,
    pictures,
    watch,
)
from tests.tiny_diffusion.sdxl import write_sdxl

ROWS: Final[tuple[PipelineName, ...]] = ("sdxl-text", "sdxl-image", "sdxl-inpaint")
GUIDED = 2
"""What a UNet predicts of each picture with guidance: with the words, and with the negative ones."""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


class Gate:
    """Holds back whoever denoises, until it is opened, and counts pictures per call."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.together: list[int] = []

    def __call__(self, answer: torch.Tensor) -> None:
        self.together.append(len(answer) // GUIDED)
        self.reached.set()
        assert self.opened.wait(60)


def queued(
    threads: ThreadPoolExecutor, drawer: Diffusion, request: Request, gone: threading.Event | None = None
) -> Future[list[Generated]]:
    """A drawing that waits for its turn, until somebody sets `gone`."""
    waits = threading.Event()

    def cancelled() -> bool:
        waits.set()
        return gone is not None and gone.is_set()

    drawn = threads.submit(draw, drawer, request, watch(cancelled=cancelled))
    assert waits.wait(60)
    return drawn


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    with at_each_denoising(gate):
        yield gate
        gate.opened.set()


def test_the_same_seed_is_the_same_picture_and_another_seed_another(drawer: Diffusion) -> None:
    first, second = pictures(draw(drawer, asked("sdxl-image", seed=1, count=2)))
    again, _ = pictures(draw(drawer, asked("sdxl-image", seed=1, count=2)))

    assert np.array_equal(first, again)
    assert furthest(first, second) > 1


@pytest.mark.parametrize("row", ROWS)
def test_a_picture_in_company_is_the_one_that_is_drawn_alone_but_for_rounding(
    drawer: Diffusion, row: PipelineName
) -> None:
    together = pictures(draw(drawer, asked(row, seed=3, count=3)))

    alone = [pictures(draw(drawer, asked(row, seed=seed)))[0] for seed in (3, 4, 5)]

    assert [furthest(one, other) <= 1 for one, other in zip(together, alone, strict=True)] == [True] * 3


def test_those_that_wait_for_the_same_go_into_one_call_each_with_its_own_words(
    drawer: Diffusion, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    first = threads.submit(draw, drawer, asked("sdxl-image", seed=9))
    assert gate.reached.wait(60)
    waiting = [
        queued(threads, drawer, asked("sdxl-image", caption=caption, reference=reference))
        for caption, reference in (("a blue shirt", REFERENCE), ("a red hat", 255 - REFERENCE))
    ]
    gate.opened.set()
    drawn = [one.result()[0] for one in waiting]

    assert first.result()
    assert [one.provenance.recipe.prompt for one in drawn] == ["a blue shirt", "a red hat"]
    assert set(gate.together) == {1, 2}
    (blue,) = draw(drawer, asked("sdxl-image", caption="a blue shirt"))
    (red,) = draw(drawer, asked("sdxl-image", caption="a red hat", reference=255 - REFERENCE))
    assert furthest(drawn[0].pixels, blue.pixels) <= 1
    assert furthest(drawn[1].pixels, red.pixels) <= 1


@pytest.mark.parametrize(
    "other",
    [{"size": (64, 72)}, {"steps": 5}, {"guidance": 3.0}, {"strength": 0.8}, {"pipeline": "sdxl-inpaint"}],
    ids=lambda other: next(iter(other)),
)
def test_what_differs_in_more_than_words_and_seed_is_drawn_apart(
    drawer: Diffusion, gate: Gate, threads: ThreadPoolExecutor, other: dict[str, Any]
) -> None:
    first = threads.submit(draw, drawer, asked("sdxl-image"))
    assert gate.reached.wait(60)
    waiting = [queued(threads, drawer, asked(**{"pipeline": "sdxl-image"} | given)) for given in (other, {})]
    gate.opened.set()

    assert all(one.result() for one in (first, *waiting))
    assert set(gate.together) == {1}


def test_no_more_are_drawn_at_once_than_is_set(made_with: Callable[..., Diffusion], gate: Gate) -> None:
    gate.opened.set()

    assert len(draw(made_with(batch=2), asked("sdxl-text", count=5))) == 5
    assert set(gate.together) == {2, 1}


def test_on_a_cpu_pictures_are_drawn_one_by_one_unless_it_is_set_otherwise(sdxl: Path, gate: Gate) -> None:
    gate.opened.set()
    drawer = Diffusion(DiffusionSettings(pipelines={"sdxl-text": str(sdxl)}, device="cpu"), 1, MOST_SIDE)

    drawn = draw(drawer, asked("sdxl-text", count=2))
    drawer.close()

    assert len(drawn) == 2
    assert set(gate.together) == {1}


def test_who_gives_up_leaves_the_others_their_picture(
    drawer: Diffusion, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    gone = threading.Event()
    first = threads.submit(draw, drawer, asked("sdxl-image"))
    assert gate.reached.wait(60)
    leaving = queued(threads, drawer, asked("sdxl-image"), gone)
    staying = queued(threads, drawer, asked("sdxl-image", seed=1))
    gone.set()

    with pytest.raises(Cancelled):
        leaving.result(30)
    gate.opened.set()
    assert first.result()
    assert staying.result()


def test_who_has_waited_too_long_for_a_turn_is_told_in_time(
    drawer: Diffusion, gate: Gate, threads: ThreadPoolExecutor
) -> None:
    first = threads.submit(draw, drawer, asked("sdxl-image"))
    assert gate.reached.wait(60)

    def attempt(seconds: float) -> float:
        start = time.monotonic()
        with pytest.raises(GenerationFailed, match="not enough time") as refusal:
            draw(drawer, asked("sdxl-text"), watch(seconds))
        assert time.monotonic() - start < seconds + 10
        return refusal.value.waited

    assert late(attempt, lambda waited: waited > 0.1)
    gate.opened.set()
    assert first.result()


def test_who_had_the_turn_and_took_too_long_did_not_wait(drawer: Diffusion, gate: Gate) -> None:
    """But for what a busy machine takes to give it."""

    def attempt(seconds: float) -> float:
        gate.opened.clear()
        gate.reached.clear()
        with pytest.raises(GenerationFailed, match="not enough time") as refusal:
            draw(drawer, asked("sdxl-text"), watch(seconds))
        gate.opened.set()
        return refusal.value.waited / seconds

    assert late(attempt, lambda share: gate.reached.is_set() and share < 0.5) < 0.5


def test_a_failing_picture_takes_none_with_it_that_another_waits_for(
    drawer: Diffusion, threads: ThreadPoolExecutor
) -> None:
    """The second of two in a call has numbers out of range, in both of its predictions."""
    gate = Gate()

    def spoil(answer: torch.Tensor) -> torch.Tensor | None:
        gate(answer)
        if len(answer) != 2 * GUIDED:
            return None
        answer[1::2] = float("nan")
        return answer

    with at_each_denoising(spoil):
        first = threads.submit(draw, drawer, asked("sdxl-text", seed=9))
        assert gate.reached.wait(60)
        waiting = [queued(threads, drawer, asked("sdxl-text", seed=seed)) for seed in (1, 2)]
        gate.opened.set()

        assert first.result()
        assert waiting[0].result()
        with pytest.raises(GenerationFailed):
            waiting[1].result()


class Inside:
    """Holds back each thread that denoises until as many do as are expected, and counts them."""

    def __init__(self, expected: int) -> None:
        self._all = threading.Barrier(expected)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __call__(self, answer: torch.Tensor) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._all.wait(60)
        time.sleep(0.05)
        with self._lock:
            self._now -= 1


@pytest.mark.parametrize("at_once", [1, 2])
def test_different_weights_are_drawn_with_at_the_same_time_as_far_as_is_set(
    sdxl: Path, tmp_path: Path, threads: ThreadPoolExecutor, at_once: int
) -> None:
    write_sdxl(tmp_path / "other", seed=1)
    pipelines: dict[PipelineName, str] = {"sdxl-turbo": str(sdxl), "sdxl-lightning": str(tmp_path / "other")}
    drawer = diffusion(sdxl, at_once, pipelines=pipelines)
    inside = Inside(at_once)

    with at_each_denoising(inside):
        drawn = list(threads.map(lambda row: draw(drawer, asked(row, reference=None, steps=2)), pipelines))
    drawer.close()

    assert [len(pictures) for pictures in drawn] == [1, 1]
    assert inside.most == at_once


def test_many_threads_get_each_the_picture_they_asked_for(drawer: Diffusion, threads: ThreadPoolExecutor) -> None:
    requests = [asked("sdxl-text", seed=seed, caption=f"number {seed}") for seed in range(12)]

    drawn: list[list[Generated]] = list(threads.map(lambda request: draw(drawer, request), requests))

    assert [one.provenance.recipe.prompt for (one,) in drawn] == [request.caption for request in requests]
    assert [one.provenance.recipe.seed for (one,) in drawn] == list(range(12))
