"""Thumbnails of products' photos."""

import os
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image
from starlette.testclient import TestClient

from indexer.bootstrap import open_catalogue
from indexer.builds.live import published_build
from indexer.catalog.catalogs import CatalogRepository
from indexer.errors import UnknownBuild
from indexer.settings import Settings
from service.shop import Shop
from service.web.media import Picture, first_pictures, pictures_of
from service.web.thumbnails import Thumbnails
from tests.service.worlds import CATALOG, Item, build, open_fake_shop, settings_of, write_catalogue

SLASHED = "lamp/äöü 50%"


@pytest.fixture(scope="module")
def shop(pages_settings: Settings) -> Iterator[Shop]:
    with open_fake_shop(pages_settings) as shop:
        yield shop


@pytest.fixture(scope="module")
def published(shop: Shop) -> str:
    return published_build(shop.database, CATALOG)[1]


def picture_of(shop: Shop, build: str, product_id: str) -> Picture:
    return first_pictures(shop, build, [product_id])[product_id]


def test_a_product_is_shown_by_its_first_photo_and_one_without_by_none(shop: Shop, published: str) -> None:
    found = first_pictures(shop, published, ["shoe-red", "mug-sketch", "nothing"])
    assert list(found) == ["shoe-red"]
    images = shop.product(CATALOG, "shoe-red").images
    keys = [("shoe-red", one.image_id) for one in images]
    both = pictures_of(shop, published, [*keys, ("shoe-red", "0" * 16), ("nothing", "0" * 16)])
    assert set(both) == set(keys)
    assert both[keys[0]] == found["shoe-red"]
    with pytest.raises(UnknownBuild):
        first_pictures(shop, "no-build", ["shoe-red"])


def test_small_photos_are_never_made_larger(shop: Shop, published: str, visitor: TestClient) -> None:
    """Those of the small shop are 64 pixels wide."""
    picture = picture_of(shop, published, "mug-red")
    assert (picture.width, picture.height) == (64, 64)
    assert picture.srcset == f"{picture.src} 64w"
    answer = visitor.get(picture.src)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(BytesIO(answer.content)).size == (64, 64)


def test_large_photos_come_in_several_widths(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})
    source = write_catalogue(tmp_path / "catalogue", [Item("wide", "Wide", "red", ["red", "red", "red"])])
    for place, size in enumerate([(1000, 500), (200, 3000), (150, 100)]):
        Image.new("RGB", size, (200, 30, 30)).save(source.with_name(f"0-{place}.png"))
    built = build(settings, source)
    with open_fake_shop(settings) as shop:
        keys = [("wide", one.image_id) for one in shop.product(CATALOG, "wide").images]
        wide, tall, small = (pictures_of(shop, built, keys)[key] for key in keys)
    assert [part.rpartition(" ")[2] for part in wide.srcset.split(", ")] == ["160w", "320w", "640w", "1000w"]
    assert (wide.width, wide.height) == (320, 160)
    assert (tall.width, tall.height) == (43, 640)
    assert (small.width, small.height) == (150, 100)


def test_they_are_kept_for_ever_under_addresses_of_their_own(shop: Shop, published: str, visitor: TestClient) -> None:
    picture = picture_of(shop, published, SLASHED)
    assert unquote(picture.src).endswith(SLASHED)
    answer = visitor.get(picture.src)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    again = visitor.get(picture.src, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (2, "elsewhere"),
        (3, "161"),
        (3, "100000"),
        (4, "0" * 24),
        (4, "0"),
        (4, "%" * 24),
        (5, "0" * 16),
        (6, "mug-blue"),
    ],
)
def test_nothing_else_has_an_address(shop: Shop, published: str, visitor: TestClient, part: int, other: str) -> None:
    parts = picture_of(shop, published, "mug-red").src.split("/")
    parts[part] = other
    assert visitor.get("/".join(parts).replace("%", "%25")).status_code == 404


def test_a_photo_that_is_gone_is_still_shown_while_its_thumbnail_is_kept(
    shop: Shop, published: str, visitor: TestClient, pages_settings: Settings
) -> None:
    kept, lost = (picture_of(shop, published, one).src for one in ("mug-green", "lamp-black"))
    root = Path(open_root(pages_settings))
    assert visitor.get(kept).status_code == 200
    for product in ("mug-green", "lamp-black"):
        (root / shop.product(CATALOG, product).images[0].uri).rename(root / f"away-{product}")
    try:
        assert visitor.get(kept).status_code == 200
        assert visitor.get(lost).status_code == 404
    finally:
        for product in ("mug-green", "lamp-black"):
            (root / f"away-{product}").rename(root / shop.product(CATALOG, product).images[0].uri)


def test_a_photo_that_was_replaced_since_is_shown_and_not_kept(
    shop: Shop, published: str, visitor: TestClient, pages_settings: Settings
) -> None:
    path = Path(open_root(pages_settings)) / shop.product(CATALOG, "mug-plain").images[0].uri
    before = path.read_bytes()
    Image.new("RGB", (40, 40)).save(path)
    try:
        answer = visitor.get(picture_of(shop, published, "mug-plain").src)
    finally:
        path.write_bytes(before)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert Image.open(BytesIO(answer.content)).size == (40, 40)


def open_root(settings: Settings) -> str:
    """The folder that the catalogue's photos are in."""
    with open_catalogue(settings).session() as session:
        return CatalogRepository(session).get(CATALOG).root or ""


def test_what_was_used_longest_ago_goes_when_there_is_no_room(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, limit=1000)
    for number in range(4):
        thumbnails.put(f"{number}{number}-160", b"x" * 300)
        older(tmp_path, f"{number}{number}-160", hours=10 - number)
    assert [thumbnails.get(f"{number}{number}-160") is None for number in range(4)] == [True, False, False, False]
    older(tmp_path, "11-160", hours=5)
    assert thumbnails.get("11-160") == b"x" * 300
    thumbnails.put("44-160", b"x" * 300)
    assert thumbnails.get("11-160") is not None
    assert thumbnails.get("22-160") is None


def older(folder: Path, name: str, hours: float) -> None:
    then = time.time() - 3600 * hours
    os.utime(folder / name[:2] / f"{name}.webp", (then, then))


def test_a_folder_that_cannot_be_written_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    thumbnails = Thumbnails(tmp_path / "file", limit=1000)
    thumbnails.put("aa-160", b"x")
    assert thumbnails.get("aa-160") is None


def test_a_photo_has_one_address_however_its_digest_could_be_written(
    shop: Shop, published: str, visitor: TestClient
) -> None:
    src = picture_of(shop, published, "mug-red").src
    digest = src.split("/")[4]
    assert visitor.get(src).status_code == 200
    assert visitor.get(src.replace(digest, digest.upper())).status_code == 404
    assert visitor.get(src.replace(digest, "_" + digest[1:])).status_code == 404
