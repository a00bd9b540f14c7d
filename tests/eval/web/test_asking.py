"""Work for the bench, without its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.errors import SuiteError
from eval.suites.making.make import MadeKind
from eval.web.archive import suites_folder, suites_of
from eval.web.asking import SuitesWish, suites_work
from service.shop import Shop
from service.working import Stopped
from tests.service.worlds import open_fake_shop, settings_of

WISH = SuitesWish(catalog="shop", name="mine", kinds=[MadeKind.TEXT], queries=3)
PHOTOS = SuitesWish(catalog="shop", name="mine", kinds=[MadeKind.PHOTO], queries=3)


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(home, tmp_path / "home")
    with open_fake_shop(settings_of(tmp_path / "home", store={"kind": "memory"})) as shop:
        yield shop


def unwatched(done: int, total: int | None) -> None:
    """Shows nothing."""


def places(shop: Shop) -> list[str]:
    return [one.place for one in suites_of(shop.settings)]


def test_what_is_made_later_under_the_same_name_harms_nothing(shop: Shop) -> None:
    first, second, third = (suites_work(wish, shop)[1] for wish in (WISH, PHOTOS, WISH))
    first(unwatched)
    assert places(shop) == ["mine/text"]

    def stopped(done: int, total: int | None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        second(stopped)
    with pytest.raises(SuiteError, match="There are suites mine already"):
        third(unwatched)
    assert places(shop) == ["mine/text"]


def test_nothing_is_listed_before_it_is_whole_nor_left_when_it_is_cancelled(shop: Shop) -> None:
    _, work = suites_work(SuitesWish(catalog="shop", name="mine", queries=3), shop)
    seen = list[str]()

    def cancelled(done: int, total: int | None) -> None:
        seen.extend(places(shop))
        raise Stopped

    with pytest.raises(Stopped):
        work(cancelled)
    assert seen == []
    assert places(shop) == []
    assert not suites_folder(shop.settings).exists()
    assert [*(shop.settings.home / "eval").iterdir()] == []
