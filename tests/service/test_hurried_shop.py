"""Nothing is begun once its answer is worth nothing."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from indexer.domain import Matrix
from indexer.errors import ImageRejected, TooLate
from indexer.settings import Settings
from service.batching import BatchingEncoder
from service.deadline import Deadline
from service.draw.documents import DrawRequest
from service.generate.seam import Generated, Recipe, Request, Watch
from service.request import SearchRequest
from service.shop import Shop
from tests.fakes import FakeEncoder, ThingEncoder
from tests.service.draw.test_atelier import Endless
from tests.service.generate.painters import Painter
from tests.service.worlds import open_fake_shop

MUG = SearchRequest(text="red mug")
BLUE = {"like": "mug-red", "change": "but blue"}


def gone() -> Deadline:
    deadline = Deadline()
    deadline.give_up()
    return deadline


class LeftEncoder(FakeEncoder):
    """Whoever asks goes away while their words are encoded."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self._deadline.give_up()
        return super().encode_texts(texts)


def test_a_search_for_nobody_is_not_begun(memory: Settings) -> None:
    with open_fake_shop(memory) as shop:
        assert shop.search(MUG, deadline=Deadline(60)).results
        with pytest.raises(TooLate, match="understand is left undone"):
            shop.search(MUG, deadline=gone())


def test_a_photo_of_nobody_is_not_decoded(memory: Settings) -> None:
    with open_fake_shop(memory) as shop:
        with pytest.raises(ImageRejected):
            shop.search(SearchRequest(), b"junk", deadline=Deadline(60))
        with pytest.raises(TooLate, match="decode is left undone"):
            shop.search(SearchRequest(), b"junk", deadline=gone())


def test_what_was_encoded_for_nobody_is_not_searched(memory: Settings) -> None:
    deadline = Deadline(60)
    with open_fake_shop(memory, lambda _: BatchingEncoder(LeftEncoder(deadline), 8)) as shop:
        with pytest.raises(TooLate, match="search is left undone"):
            shop.search(MUG, deadline=deadline)
        assert shop.search(MUG, deadline=Deadline(60)).results


class Left(Endless):
    """Whoever asks goes away while a picture is drawn."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        threading.Timer(0.1, self._deadline.give_up).start()
        return super().make(request, recipes, watch)


def left(settings: Settings, folder: Path, deadline: Deadline) -> Shop:
    return open_fake_shop(settings, lambda _: ThingEncoder(), [Left(deadline)], folder)


def test_a_picture_for_nobody_is_not_drawn_to_its_end(drawing_settings: Settings, tmp_path: Path) -> None:
    deadline = Deadline()
    with left(drawing_settings, tmp_path, deadline) as shop:
        begun = time.monotonic()
        with pytest.raises(TooLate, match="draw is left undone"):
            shop.draw(DrawRequest.model_validate({**BLUE, "mode": "final"}), deadline=deadline)
        assert time.monotonic() - begun < shop.settings.generate.final_seconds / 2


def test_a_search_by_a_picture_is_given_up_too(drawing_settings: Settings, tmp_path: Path) -> None:
    deadline = Deadline(60)
    with left(drawing_settings, tmp_path, deadline) as shop, pytest.raises(TooLate, match="has gone"):
        shop.search(SearchRequest.model_validate({**BLUE, "generate": "final"}), deadline=deadline)


def test_a_search_by_a_picture_has_the_pictures_time_on_top(drawing_settings: Settings, tmp_path: Path) -> None:
    with open_fake_shop(drawing_settings, lambda _: ThingEncoder(), [Painter()], tmp_path) as shop:
        deadline = Deadline(60)
        assert shop.search(SearchRequest.model_validate({**BLUE, "generate": "final"}), deadline=deadline).generated
        assert deadline.left() > 60
