import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import BadPictureRequest, UnknownPicture
from indexer.generate_settings import GenerateSettings
from service.changes import Change
from service.generate.cache import ImageCache
from service.generate.judging import Jury
from service.generate.recolouring import Recolouring
from service.generate.seam import (
    Cancelled,
    Generated,
    GenerationFailed,
    ImageGenerator,
    Recipe,
    Request,
    Unsuited,
    Watch,
)
from service.generate.studio import Drawing, Studio
from tests.deadlines import late
from tests.fakes import FakeEncoder
from tests.service.generate.painters import Painter, photo

BLUE = Change("colour", "red", "blue")
JURY = Jury(FakeEncoder(), None, None, np.empty((0, 64), np.float32), BLUE)
FINAL = Request("but blue", photo("red"), (BLUE,), mode="final")
"""For which the order is diffusion, openai, replicate, recolour."""
GREEDY = Request("but blue", photo("red"), (BLUE,), mode="final", steps=150, count=8, seed=9)


def watch(seconds: float = 30, cancelled: Callable[[], bool] = lambda: False) -> Watch:
    return Watch(time.monotonic() + seconds, cancelled=cancelled)


def studio(folder: Path, *generators: ImageGenerator) -> Studio:
    return Studio(
        generators,
        ImageCache(folder / "pictures", 10_000_000),
        GenerateSettings.model_validate({"diffusion": {"pipelines": {"sdxl-image": "org/weights"}}}),
    )


def failing(error: Exception) -> Painter:
    def fail() -> None:
        raise error

    return Painter("diffusion", before=fail)


def test_the_first_whose_picture_fits_is_the_only_one_that_draws(tmp_path: Path) -> None:
    first, second = Painter("diffusion"), Painter("openai")
    drawing = studio(tmp_path, second, first).draw(FINAL, JURY, watch())
    assert drawing.best is not None
    assert drawing.best.picture.provenance.recipe.generator == "diffusion"
    assert drawing.best.vector.shape == (64,)
    assert (drawing.skipped, second.made) == ((), [])


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (Painter("diffusion", unsuited="no pipeline edits"), "no pipeline edits"),
        (failing(GenerationFailed("out of GPU memory")), "out of GPU memory"),
        (failing(GenerationFailed("diffusion: out of GPU memory.")), "out of GPU memory"),
        (failing(Unsuited("not after all")), "not after all"),
        (failing(RuntimeError("CUDA error: secret")), "it failed; the log says why"),
        (Painter("diffusion", colours=("green",)), "it is mainly green, and no more blue than before"),
    ],
    ids=["unsuited", "failed", "failed by name", "unsuited late", "unforeseen", "unfit"],
)
def test_whatever_fails_the_next_draws_and_it_is_said(
    tmp_path: Path, first: Painter, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    drawing = studio(tmp_path, first, Painter("openai")).draw(FINAL, JURY, watch())
    assert drawing.skipped == (f"diffusion: {why}",)
    assert drawing.best is not None
    assert drawing.best.picture.provenance.recipe.generator == "openai"


def test_what_nobody_foresaw_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    studio(tmp_path, failing(RuntimeError("CUDA error"))).draw(FINAL, JURY, watch())
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "CUDA error" in caplog.text


def test_recolouring_is_the_last_resort(tmp_path: Path) -> None:
    broken = failing(GenerationFailed("out of GPU memory"))
    drawing = studio(tmp_path, Recolouring(), broken).draw(FINAL, JURY, watch())
    assert drawing.best is not None
    assert drawing.best.picture.provenance.recipe.generator == "recolour"
    assert drawing.skipped == ("diffusion: out of GPU memory",)


def test_of_several_the_best_is_first_and_what_does_not_fit_last_with_the_reason(tmp_path: Path) -> None:
    request = Request("but blue", photo("red"), (BLUE,), mode="final", count=3, seed=5)
    painter = Painter(colours=("red", "blue", "green"))
    drawing = studio(tmp_path, painter).draw(request, JURY, watch())
    assert drawing.best is drawing.pictures[0]
    assert drawing.pictures[0].picture.provenance.recipe.seed == 7
    assert {one.scores.why for one in drawing.pictures[1:]} == {
        f"it is mainly {colour}, and no more blue than before" for colour in ("green", "red")
    }
    assert drawing.skipped == ()


def test_what_fits_nowhere_is_shown_and_not_searched_by(tmp_path: Path) -> None:
    generators = Painter("diffusion", ("green",)), Painter("openai", ("red",))
    drawing = studio(tmp_path, *generators).draw(FINAL, JURY, watch())
    assert drawing.best is None
    assert [one.picture.provenance.recipe.generator for one in drawing.pictures] == ["diffusion", "openai"]
    assert len(drawing.skipped) == 2


def test_those_that_fit_come_before_those_that_did_not_of_another(tmp_path: Path) -> None:
    drawing = studio(tmp_path, Painter("diffusion", ("green",)), Painter("openai")).draw(FINAL, JURY, watch())
    assert [one.scores.fit for one in drawing.pictures] == [True, False]


def test_without_generators_there_is_no_picture_and_a_reason(tmp_path: Path) -> None:
    drawing = studio(tmp_path).draw(FINAL, JURY, watch())
    assert (drawing.best, drawing.pictures) == (None, ())
    assert drawing.skipped == ("nobody is set up to draw pictures",)


def test_who_is_named_is_not_replaced(tmp_path: Path) -> None:
    named = Request("but blue", photo("red"), (BLUE,), generator="openai")
    refusing = Painter("openai", unsuited="it wants no photos")
    drawing = studio(tmp_path, refusing, Painter("diffusion")).draw(named, JURY, watch())
    assert (drawing.pictures, drawing.skipped) == ((), ("openai: it wants no photos",))


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_what_was_drawn_once_is_not_drawn_again(tmp_path: Path, colour: str) -> None:
    painter = Painter(colours=(colour,))
    first = studio(tmp_path, painter).draw(FINAL, JURY, watch())
    again = studio(tmp_path, painter).draw(FINAL, JURY, watch(seconds=-1))
    assert painter.made == [0]
    assert [one.cached for one in (*first.pictures, *again.pictures)] == [False, True]
    assert np.array_equal(first.pictures[0].picture.pixels, again.pictures[0].picture.pixels)
    assert first.pictures[0].picture.provenance == again.pictures[0].picture.provenance


def test_only_what_is_missing_is_drawn(tmp_path: Path) -> None:
    painter = Painter()
    place = studio(tmp_path, painter)
    place.draw(Request("but blue", photo("red"), (BLUE,), mode="final", count=2, seed=1), JURY, watch())
    drawing = place.draw(Request("but blue", photo("red"), (BLUE,), mode="final", count=4), JURY, watch())
    assert painter.made == [1, 2, 0, 3]
    assert {one.picture.provenance.recipe.seed: one.cached for one in drawing.pictures} == {
        0: False,
        1: True,
        2: True,
        3: False,
    }


def test_a_broken_cache_costs_only_that_pictures_are_drawn_again(tmp_path: Path) -> None:
    (tmp_path / "pictures").touch()
    painter = Painter()
    place = studio(tmp_path, painter)
    assert all(place.draw(FINAL, JURY, watch()).best for _ in range(2))
    assert painter.made == [0, 0]


def at_once(number: int, ask: Callable[[], Drawing]) -> Sequence[Drawing]:
    with ThreadPoolExecutor(number) as pool:
        return [answer.result() for answer in [pool.submit(ask) for _ in range(number)]]


def test_what_several_ask_for_at_once_is_drawn_once(tmp_path: Path) -> None:
    painter = Painter(seconds=0.1)
    place = studio(tmp_path, painter)
    drawings = at_once(4, lambda: place.draw(FINAL, JURY, watch()))
    assert painter.made == [0]
    assert sorted(drawing.pictures[0].cached for drawing in drawings) == [False, True, True, True]


class Line:
    """Those who wait for another's drawing: they are asked again and again whether they still want it. Called, it waits
    until so many do."""

    def __init__(self, expected: int) -> None:
        self._waiting = threading.Semaphore(0)
        self._expected = expected
        self._all = threading.Event()

    def watch(self) -> Watch:
        asked = count(1)

        def cancelled() -> bool:
            if next(asked) == 2:  # at first before anything is planned, and then in the line
                self._waiting.release()
            return False

        return watch(cancelled=cancelled)

    def __call__(self) -> None:
        if not self._all.is_set():
            assert all(self._waiting.acquire(timeout=30) for _ in range(self._expected))
            self._all.set()


def test_what_several_ask_for_at_once_is_drawn_once_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "pictures").touch()
    line = Line(2)
    painter = Painter(before=line)
    place = studio(tmp_path, painter)
    drawings = at_once(3, lambda: place.draw(FINAL, JURY, line.watch()))
    assert painter.made == [0]
    assert all(drawing.best for drawing in drawings)
    assert sorted(drawing.pictures[0].cached for drawing in drawings) == [False, True, True]


def test_who_gets_some_of_anothers_pictures_draws_the_others(tmp_path: Path) -> None:
    (tmp_path / "pictures").touch()
    line = Line(1)
    painter = Painter(before=line)
    place = studio(tmp_path, painter)
    requests = [Request("but blue", photo("red"), (BLUE,), mode="final", count=2, seed=seed) for seed in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        drawings = list(pool.map(lambda request: place.draw(request, JURY, line.watch()), requests))
    assert sorted(painter.made) == [0, 1, 2]
    assert all(len(drawing.pictures) == 2 for drawing in drawings)


def test_overlapping_batches_do_not_lock_each_other_out(tmp_path: Path) -> None:
    painter = Painter(seconds=0.02)
    place = studio(tmp_path, painter)
    requests = [
        Request("but blue", photo("red"), (BLUE,), mode="final", count=3, seed=seed) for seed in (0, 1, 2, 1, 0)
    ]
    with ThreadPoolExecutor(5) as pool:
        drawings = list(pool.map(lambda request: place.draw(request, JURY, watch()), requests))
    assert sorted(painter.made) == [0, 1, 2, 3, 4]
    assert all(len(drawing.pictures) == 3 for drawing in drawings)


def test_different_pictures_are_drawn_side_by_side(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=30)

    def meet() -> None:
        together.wait()

    place = studio(tmp_path, Painter(before=meet))
    requests = [Request("but blue", photo("red"), (BLUE,), mode="final", seed=seed) for seed in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        assert all(drawing.best for drawing in pool.map(lambda one: place.draw(one, JURY, watch()), requests))


class Held:
    """A painter that draws until it is told to go on."""

    def __init__(self, folder: Path) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.studio = studio(folder, Painter(before=self._draw))
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "Held":
        self._drawing = self._pool.submit(self.studio.draw, FINAL, JURY, watch())
        assert self.begun.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        assert self._drawing.result().best
        self._pool.shutdown()

    def _draw(self) -> None:
        self.begun.set()
        assert self.go.wait(60)


def test_who_waits_for_anothers_drawing_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    with Held(tmp_path) as held:
        begun = time.monotonic()
        drawing = held.studio.draw(FINAL, JURY, watch(0.15))
        assert 0.1 < time.monotonic() - begun < 15
        assert drawing.skipped == ("diffusion: the same picture is being drawn for somebody else, and time was over",)


def test_who_waits_for_anothers_drawing_can_think_better_of_it(tmp_path: Path) -> None:
    looks = iter([False, False])
    with Held(tmp_path) as held, pytest.raises(Cancelled):
        held.studio.draw(FINAL, JURY, watch(cancelled=lambda: next(looks, True)))


def test_after_a_failure_the_next_who_asks_draws(tmp_path: Path) -> None:
    trouble = iter([GenerationFailed("once")])

    def stumble() -> None:
        for error in trouble:
            raise error

    place = studio(tmp_path, Painter(before=stumble))
    assert place.draw(FINAL, JURY, watch()).best is None
    assert place.draw(FINAL, JURY, watch()).best is not None


def test_when_time_is_over_nobody_begins(tmp_path: Path) -> None:
    painter = Painter()
    drawing = studio(tmp_path, painter).draw(FINAL, JURY, watch(-0.1))
    assert drawing.skipped == ("diffusion: the time was over before it began",)
    assert painter.made == []


def test_who_lately_took_longer_than_is_left_is_passed_over(tmp_path: Path) -> None:
    """It says of itself that it took a minute."""

    def attempt(seconds: float) -> Drawing:
        slow = Painter(seconds=seconds, said=60.0)
        place = studio(tmp_path / str(seconds), slow, Painter("openai"))
        place.draw(FINAL, JURY, watch(60))
        other = Request("but blue", photo("red"), (BLUE,), mode="final", seed=1)
        drawing = place.draw(other, JURY, watch(seconds / 2))
        assert slow.made == [0]
        return drawing

    drawing = late(attempt, lambda drawing: drawing.best is not None)
    assert re.match(r"diffusion: it took \d+\.\d s of late, and \d+\.\d s are left", drawing.skipped[0])


def test_who_was_cut_off_is_not_tried_again_in_as_little_time(tmp_path: Path) -> None:
    def attempt(seconds: float) -> str:
        place = studio(tmp_path, BySteps())
        place.draw(GREEDY, JURY, watch(seconds))
        return place.draw(GREEDY, JURY, watch(seconds / 2)).skipped[0]

    assert late(attempt, lambda said: "of late" in said)


class BySteps(Painter):
    """Plans the steps that are asked for, of a hundredth of a second each, and ends when time is over."""

    def plan(self, request: Request) -> Sequence[Recipe]:
        return [one.model_copy(update={"steps": request.steps or 1}) for one in super().plan(request)]

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        for _ in range(sum(one.steps or 1 for one in recipes)):
            time.sleep(0.01)
            if time.monotonic() >= watch.until:
                raise GenerationFailed("the time was over")
        return super().make(request, recipes, watch)


def test_what_was_too_much_of_somebodys_takes_the_generator_from_nobody_else(tmp_path: Path) -> None:
    def attempt(seconds: float) -> tuple[str, Drawing]:
        place = studio(tmp_path / str(seconds), BySteps())
        place.draw(GREEDY, JURY, watch(seconds))
        return place.draw(GREEDY, JURY, watch(seconds / 2)).skipped[0], place.draw(FINAL, JURY, watch(seconds * 0.9))

    assert late(attempt, lambda said: "of late" in said[0] and said[1].best is not None)


def test_who_was_cut_off_while_others_were_drawn_for_is_tried_again(tmp_path: Path) -> None:
    def attempt(seconds: float) -> Drawing:
        trouble = iter([seconds])

        def wait_in_vain() -> None:
            for waited in trouble:
                time.sleep(waited)
                raise GenerationFailed("there was not enough time", waited=waited)

        place = studio(tmp_path / str(seconds), Painter(before=wait_in_vain))
        assert place.draw(FINAL, JURY, watch(seconds)).skipped
        return place.draw(FINAL, JURY, watch(seconds * 0.9))

    assert late(attempt, lambda drawing: drawing.best is not None)


def test_what_had_to_wait_did_not_take_longer(tmp_path: Path) -> None:
    """It says of itself that it took no time."""

    def attempt(seconds: float) -> Drawing:
        place = studio(tmp_path / str(seconds), Painter(seconds=seconds, said=0.0))
        place.draw(FINAL, JURY, watch(60))
        other = Request("but blue", photo("red"), (BLUE,), mode="final", seed=1)
        return place.draw(other, JURY, watch(seconds / 2))

    assert late(attempt, lambda drawing: drawing.best is not None)


def test_what_is_cancelled_ends_and_asks_nobody_else(tmp_path: Path) -> None:
    second = Painter("openai")
    place = studio(tmp_path, failing(Cancelled()), second)
    with pytest.raises(Cancelled):
        place.draw(FINAL, JURY, watch())
    with pytest.raises(Cancelled):
        place.draw(FINAL, JURY, watch(cancelled=lambda: True))
    assert second.made == []


def test_a_request_that_is_wrong_is_no_failure_of_who_says_so(tmp_path: Path) -> None:
    place = studio(tmp_path, failing(BadPictureRequest("size: too large")), Painter("openai"))
    with pytest.raises(BadPictureRequest, match="too large"):
        place.draw(FINAL, JURY, watch())


def test_what_is_kept_is_had_by_its_id(tmp_path: Path) -> None:
    place = studio(tmp_path, Painter())
    drawn = place.draw(FINAL, JURY, watch()).pictures[0].picture
    assert np.array_equal(place.kept(drawn.id).pixels, drawn.pixels)


@pytest.mark.parametrize("picture_id", ["0" * 64, "", "../../secret", "x" * 10_000])
def test_what_is_not_kept_is_unknown(tmp_path: Path, picture_id: str) -> None:
    with pytest.raises(UnknownPicture) as refusal:
        studio(tmp_path).kept(picture_id)
    assert len(str(refusal.value)) < 200


def test_closing_closes_who_draws(tmp_path: Path) -> None:
    painters = Painter("diffusion"), Painter("openai")
    studio(tmp_path, *painters).close()
    assert all(painter.closed for painter in painters)
