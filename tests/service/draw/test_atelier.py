"""Pictures that are drawn to be looked at, while the caller waits and as jobs."""

import io
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from indexer.errors import (
    BadBox,
    ContradictoryEdit,
    ImageRejected,
    NothingGenerated,
    QueryError,
    UnknownCatalog,
    UnknownPicture,
    UnknownProduct,
)
from indexer.settings import Settings
from service.draw.documents import DrawRequest, Pictures
from service.generate.jobs import Job
from service.generate.seam import Cancelled, Generated, Recipe, Request, Watch
from service.request import SearchRequest
from service.shop import Shop
from tests.fakes import ThingEncoder
from tests.service.generate.painters import Painter
from tests.service.worlds import open_fake_shop, photo_of

BLUE = DrawRequest(like="mug-red", change="but blue")


def test_a_product_is_drawn_as_it_is_wanted_and_its_file_says_how(shop: Shop) -> None:
    drawn = shop.draw(BLUE)
    (picture,) = drawn.pictures
    assert (drawn.catalog, drawn.skipped, picture.scores.fit, picture.cached) == ("shop", (), True, False)
    with Image.open(io.BytesIO(shop.png(picture.id))) as file:
        assert (file.format, file.size) == ("PNG", (picture.width, picture.height))
        red, _, blue = file.convert("RGB").getpixel((32, 32))  # type: ignore[misc]
        assert blue > red
        assert '"but blue"' in str(file.info["vitrine"])
    assert shop.draw(BLUE).pictures[0].cached


def test_what_was_drawn_can_be_searched_by(shop: Shop) -> None:
    (picture,) = shop.draw(BLUE).pictures
    answer = shop.search(SearchRequest(like="mug-red", change="but blue", generated=picture.id))
    assert [one.id for one in answer.generated] == [picture.id]
    assert "generated" in answer.results[0].routes


def test_a_photo_is_drawn_as_it_is_wanted_or_a_part_of_it(shop: Shop) -> None:
    photo = photo_of("red", seed=99)
    (whole,) = shop.draw(DrawRequest(change="but blue"), photo).pictures
    (part,) = shop.draw(DrawRequest(change="but blue", box=(0.25, 0.25, 0.5, 0.25)), photo).pictures
    assert (whole.width, whole.height) == (64, 64)
    assert (part.width, part.height) == (32, 16)


@pytest.mark.parametrize(
    ("request_", "photo", "error", "said"),
    [
        (DrawRequest(change="but blue"), None, QueryError, "photo or a product"),
        (BLUE, photo_of("red"), QueryError, "photo or a product"),
        (DrawRequest(like="mug-red", change=" "), None, QueryError, "what is to be different"),
        (DrawRequest(like="mug-nix", change="but blue"), None, UnknownProduct, "mug-nix"),
        (DrawRequest(like="mug-red", change="but blue", box=(0, 0, 1, 1)), None, QueryError, "give the photo too"),
        (DrawRequest(like="mug-red", change="but blue", catalog="nix"), None, UnknownCatalog, "nix"),
        (DrawRequest(change="but blue"), b"no photo", ImageRejected, "refused"),
        (DrawRequest(like="mug-red", change="in glass"), None, NothingGenerated, "no colour to change to"),
        (DrawRequest(like="mug-sketch", change="but blue"), None, NothingGenerated, "no photo"),
        (BLUE.model_copy(update={"generator": "openai"}), None, NothingGenerated, "not set up"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(
    idle_shop: Shop, request_: DrawRequest, photo: bytes | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        idle_shop.draw(request_, photo)


def test_nobody_is_set_up_to_draw(memory: Settings) -> None:
    with open_fake_shop(memory) as shop:
        with pytest.raises(NothingGenerated, match=r"generate\.generators"):
            shop.draw(BLUE)
        with pytest.raises(NothingGenerated):
            shop.png("0" * 64)
        with pytest.raises(NothingGenerated):
            shop.draw_later(BLUE)
        assert shop.jobs.recent() == ()


def test_there_is_no_such_picture(idle_shop: Shop) -> None:
    with pytest.raises(UnknownPicture, match="drawn again"):
        idle_shop.png("f" * 64)


def test_a_job_draws_what_its_request_says(shop: Shop) -> None:
    job = shop.draw_later(BLUE.model_copy(update={"mode": "final"}))
    assert (job.state, job.catalog) == ("queued", "shop")
    shop.jobs.start()
    ended = _ended(shop, job)
    assert (ended.state, ended.error) == ("done", None)
    drawn = Pictures.model_validate(ended.result)
    assert [one.scores.fit for one in drawn.pictures] == [True]
    assert shop.png(drawn.pictures[0].id)


def test_a_job_of_a_photo_keeps_the_photo(shop: Shop) -> None:
    job = shop.draw_later(DrawRequest(change="but blue", mode="final"), photo_of("red", seed=5))
    shop.jobs.start()
    assert _ended(shop, job).state == "done"


def test_a_job_that_comes_to_nothing_says_why(shop: Shop) -> None:
    job = shop.draw_later(DrawRequest(like="mug-red", change="in glass", mode="final"))
    shop.jobs.start()
    ended = _ended(shop, job)
    assert (ended.state, ended.result) == ("failed", None)
    assert "recolour: " in (ended.error or "")


@pytest.mark.parametrize(
    ("request_", "photo", "error"),
    [
        (DrawRequest(change="but blue"), None, QueryError),
        (DrawRequest(like="mug-nix", change="but blue"), None, UnknownProduct),
        (DrawRequest(like="mug-red", change=" "), None, QueryError),
        (DrawRequest(like="mug-red", change="blue, but red"), None, ContradictoryEdit),
        (DrawRequest(like="mug-red", change="but blue", region=(0, 0, 9, 9)), None, BadBox),
        (DrawRequest(like="mug-red", change="but blue", box=(0, 0, 1, 1)), None, QueryError),
        (DrawRequest(like="mug-red", change="but blue", catalog="nix"), None, UnknownCatalog),
        (DrawRequest(change="but blue"), b"junk", ImageRejected),
        (DrawRequest(change="but blue"), b"", ImageRejected),
    ],
)
def test_what_can_be_refused_at_once_is_not_queued(
    idle_shop: Shop, request_: DrawRequest, photo: bytes | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        idle_shop.draw_later(request_.model_copy(update={"mode": "final"}), photo)


class Endless(Painter):
    """Draws until nobody wants it any longer."""

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        watch.step(1, 100)
        while not watch.cancelled():
            time.sleep(0.01)
        raise Cancelled


def test_a_job_is_cancelled_while_it_is_drawn(drawing_settings: Settings, tmp_path: Path) -> None:
    with open_fake_shop(drawing_settings, lambda manifest: ThingEncoder(), [Endless()], tmp_path) as shop:
        job = shop.draw_later(BLUE.model_copy(update={"mode": "final"}))
        shop.jobs.start()
        deadline = time.monotonic() + 60
        while shop.jobs.get(job.id).state != "running":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        shop.jobs.cancel(job.id)
        assert _ended(shop, job).state == "cancelled"


def _ended(shop: Shop, job: Job) -> Job:
    deadline = time.monotonic() + 60
    while (now := shop.jobs.get(job.id)).state in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return now
