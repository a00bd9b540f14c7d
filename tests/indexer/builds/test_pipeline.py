"""Builds from source to publication, with the fake encoder on small shops."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.lease import TTL
from indexer.builds.listing import list_builds, list_rejects
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.states import ImageState
from indexer.domain import BuildManifest, Channel, Condition, FieldType, Matrix, Op, QueryKind, WordsQuery, point_id
from indexer.errors import BuildFailed, BuildInProgress, NothingPublished, SettingsError, StoreMismatch
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import MUGS, Shop, catalogue, other_mugs, sell_mugs


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return first_build(tmp_path_factory.mktemp("memory"), "memory")


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return first_build(tmp_path_factory.mktemp("edge"), "edge")


def first_build(path: Path, store: str) -> Path:
    shop = Shop.at(path, store)
    sell_mugs(shop)
    shop.build()
    return path


@pytest.fixture
def shop(in_memory: Path, tmp_path: Path) -> Shop:
    """A copy of a shop that was built once, on the memory store."""
    return copied(in_memory, tmp_path, "memory")


@pytest.fixture(params=["memory", "edge"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    built = request.getfixturevalue("in_memory" if request.param == "memory" else "on_disk")
    return copied(built, tmp_path, request.param)


def copied(built: Path, path: Path, store: str) -> Shop:
    shutil.copytree(built, path, dirs_exist_ok=True)
    return Shop.at(path, store)


@pytest.fixture
def new_shop(tmp_path: Path) -> Shop:
    return Shop.at(tmp_path)


def manifest(shop: Shop, catalog: str = "shop") -> BuildManifest:
    with shop.live(catalog) as index:
        return index.manifest


class DyingEncoder(FakeEncoder):
    """Its process ends, or its computer fails, at the first text."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        raise self._error


def test_a_first_build_publishes_every_product_with_its_photos(any_shop: Shop) -> None:
    built = manifest(any_shop)
    encoder = FakeEncoder()

    assert (built.products, built.images, built.rejected, built.points) == (5, 5, 0, 6)
    assert built.encoder == encoder.spec.identity
    assert any_shop.looking_like(encoder.word("red"))[0] == "mug-red"
    assert any_shop.looking_like(encoder.word("yellow"))[0] == "lamp"
    assert set(any_shop.called("mug")) >= {"mug-red", "mug-blue"}


def test_a_product_without_photos_is_found_by_its_words_and_has_no_photo(any_shop: Shop) -> None:
    identity = point_id("shop", "scarf", "")
    with any_shop.live() as index:
        vectors = index.store.fetch([identity])[identity]

    assert any_shop.called("scarf northwind") == ["scarf"]
    assert set(vectors) == {Channel.TEXT}


def test_a_second_build_of_the_same_catalogue_encodes_nothing_and_publishes_nothing(any_shop: Shop) -> None:
    before = manifest(any_shop)
    encoder = FakeEncoder()

    report = any_shop.build(encoder)

    assert (report.state, report.build) == ("unchanged", before.build)
    assert (encoder.photos, encoder.texts) == (0, [])
    with catalogue(any_shop.settings) as database:
        assert [row["build"] for row in list_builds(database, "shop")] == [before.build]


def test_an_update_encodes_what_changed_and_drops_what_is_gone(any_shop: Shop) -> None:
    any_shop.draw("red.png", "blue", mark=77)
    rows = other_mugs({"lamp": {"title": "Table lamp"}})
    any_shop.write([row for row in rows if row["id"] != "cup"])
    encoder = FakeEncoder()

    report = any_shop.build(encoder)

    assert (report.state, report.added, report.changed, report.removed) == ("published", 0, 1, 1)
    assert (encoder.photos, report.encoded_images) == (1, 1)
    assert [text for text in encoder.texts if "," in text] == ["Table lamp, Office"], "the other texts are queries"
    assert any_shop.called("cup") == []
    assert any_shop.called("table") == ["lamp"]
    assert set(any_shop.looking_like(encoder.word("blue"))[:2]) == {"mug-red", "mug-blue"}
    with any_shop.live() as index:
        assert index.store.count() == 5


def test_a_changed_title_encodes_no_photo(shop: Shop) -> None:
    shop.write(other_mugs({"scarf": {"title": "Silk scarf"}}))
    encoder = FakeEncoder()

    report = shop.build(encoder)

    assert report.state == "published"
    assert encoder.photos == 0
    assert encoder.texts == ["Silk scarf, Clothing, Northwind", "Silk scarf"]


def test_the_same_photo_is_encoded_once_however_many_products_and_names_it_has(shop: Shop) -> None:
    for copy in ("copy1.png", "copy2.png"):
        shutil.copy(shop.folder / "red.png", shop.folder / copy)
    shop.draw("new.png", "white", mark=500)
    shutil.copy(shop.folder / "new.png", shop.folder / "new2.png")
    shop.write(other_mugs({"scarf": {"images": "copy1.png,new.png"}, "cup": {"images": "copy2.png,new2.png"}}))
    encoder = FakeEncoder()

    report = shop.build(encoder)

    assert encoder.photos == 1
    assert report.images == 8
    assert set(shop.looking_like(encoder.word("red"))[:3]) == {"mug-red", "scarf", "cup"}


def test_bad_photos_are_named_reasons_and_stop_nothing(new_shop: Shop) -> None:
    sell_mugs(new_shop)
    (new_shop.folder / "text.jpg").write_text("this is not a photo")
    whole = (new_shop.folder / "lamp2.png").read_bytes()
    (new_shop.folder / "half.png").write_bytes(whole[: len(whole) // 2])
    (new_shop.folder / "empty.png").touch()
    bad = {
        "scarf": {"images": "text.jpg,half.png,empty.png,nowhere.png,../secret.png"},
        "cup": {"images": "http://example.com/cup.png"},
        "lamp": {"images": "lamp1.png,nowhere.png"},
    }
    new_shop.write(other_mugs(bad))

    report = new_shop.build()

    reasons = {"unsupported_format": 1, "truncated": 1, "empty": 1, "missing": 2, "outside_root": 1, "not_https": 1}
    assert report.rejected_images == reasons
    assert (report.state, report.products, report.images) == ("published", 5, 3)
    assert new_shop.called("scarf") == ["scarf"], "it has its words"
    with catalogue(new_shop.settings) as database:
        listed = list_rejects(database, "shop")
    assert ("scarf", "text.jpg", "unsupported_format") in {
        (row["product"], row["photo"], row["reason"]) for row in listed
    }
    assert all(row["detail"] for row in listed)

    again = FakeEncoder()
    assert new_shop.build(again).state == "unchanged", "the same bad photos are no change"

    new_shop.draw("nowhere.png", "white")
    (new_shop.folder / "blue.png").unlink()
    report = new_shop.build(again)
    assert again.photos == 1
    assert report.rejected_images == {**reasons, "missing": 1}
    assert report.images == 4
    assert set(new_shop.looking_like(again.word("white"))[:2]) == {"lamp", "scarf"}


def test_broken_rows_are_listed_and_the_rest_is_built(new_shop: Shop) -> None:
    sell_mugs(new_shop)
    new_shop.write([*MUGS[:2], {"id": "nameless", "title": ""}, MUGS[0]])

    report = new_shop.build()

    assert (report.products, report.rejected_rows) == (2, 2)
    with catalogue(new_shop.settings) as database:
        rows = list_rejects(database, report.build)
    assert [(row["line"], row["reason"]) for row in rows] == [(4, "broken_row"), (5, "broken_row")]
    assert "no title" in str(rows[0]["detail"])
    assert "duplicate id 'mug-red'" in str(rows[1]["detail"])


def test_another_encoder_encodes_everything_and_the_first_one_is_remembered(shop: Shop) -> None:
    other = FakeEncoder("other")
    report = shop.build(other)

    assert report.state == "published"
    assert other.photos == 5
    assert {"Woollen scarf, Clothing, Northwind", "Desk lamp, Office"} <= set(other.texts)
    assert manifest(shop).encoder == other.spec.identity
    assert shop.looking_like(other.word("green"))[0] == "cup"

    first = FakeEncoder()
    assert shop.build(first).state == "published"
    assert (first.photos, first.texts) == (0, [])


def test_a_source_without_a_usable_row_publishes_nothing(new_shop: Shop) -> None:
    new_shop.write([{"id": "nameless"}])

    with pytest.raises(BuildFailed, match="has no usable row; see why with: vitrine builds errors"):
        new_shop.build()
    with pytest.raises(NothingPublished), new_shop.live():
        pass


def test_a_source_without_a_usable_row_leaves_what_was_published(shop: Shop) -> None:
    before = manifest(shop)
    shop.write([{"id": "nameless"}])

    with pytest.raises(BuildFailed) as failed:
        shop.build()

    assert manifest(shop) == before
    assert shop.called("scarf") == ["scarf"], "its products are still in the catalogue"
    with catalogue(shop.settings) as database:
        states = {row["build"]: (row["state"], row["error"]) for row in list_builds(database, "shop")}
    assert states.pop(before.build) == ("published", None)
    assert list(states.values()) == [("failed", str(failed.value))]

    shop.write(MUGS)
    assert shop.build().state == "unchanged", "the failed build's rows were its own"


def test_what_an_unfinished_build_had_read_is_published_by_the_next(on_disk: Path, tmp_path: Path) -> None:
    """The rows are in the ledger already, so the next reading finds no change: that must not count as published."""
    shop = copied(on_disk, tmp_path, "edge")
    shop.write(other_mugs({"scarf": {"title": "Silk scarf"}}))
    with pytest.raises(KeyboardInterrupt):
        shop.build(DyingEncoder(KeyboardInterrupt()))

    assert shop.build().state == "published"
    assert shop.called("silk") == ["scarf"]
    assert shop.build().state == "unchanged"


def test_a_full_disk_fails_the_build_by_name_and_leaves_what_was_published(shop: Shop) -> None:
    before = manifest(shop)
    shop.write(other_mugs({"scarf": {"title": "Silk scarf"}}))

    with pytest.raises(BuildFailed, match=r"No space left on device\. Nothing was published"):
        shop.build(DyingEncoder(OSError(28, "No space left on device")), catalog="shop-2")

    assert manifest(shop) == before
    with catalogue(shop.settings) as database:
        assert [row["state"] for row in list_builds(database, "shop-2")] == ["failed"]


def test_an_interrupted_build_is_cancelled_and_what_it_did_goes_over_to_the_next(shop: Shop) -> None:
    shop.draw("red.png", "white", mark=90)
    shop.write(other_mugs({"scarf": {"title": "Silk scarf"}}))
    with pytest.raises(KeyboardInterrupt):
        shop.build(DyingEncoder(KeyboardInterrupt()))
    with catalogue(shop.settings) as database:
        interrupted = list_builds(database, "shop")[0]
    assert (interrupted["state"], interrupted["error"]) == ("cancelled", "interrupted")

    encoder = FakeEncoder()
    report = shop.build(encoder)
    assert report.build != interrupted["build"]
    assert (report.state, encoder.photos) == ("published", 0)
    assert shop.called("silk") == ["scarf"]


def someone_else_builds(shop: Shop, beat: datetime) -> None:
    with catalogue(shop.settings) as database, database.begin() as session:
        BuildRepository(session).create(
            "theirs", "shop", owner="elsewhere:1", store="memory", source="x", settings={}, now=beat
        )


def test_a_catalog_is_built_by_one_process_at_a_time(shop: Shop) -> None:
    someone_else_builds(shop, datetime.now(UTC))
    encoder = FakeEncoder()

    with pytest.raises(BuildInProgress, match=r"'theirs' of catalog 'shop' is in progress .* owned by elsewhere:1"):
        shop.build(encoder)
    assert shop.build(encoder, catalog="another").state == "published"


def test_a_build_whose_owner_fell_silent_is_taken_over(shop: Shop) -> None:
    someone_else_builds(shop, datetime.now(UTC) - TTL - timedelta(seconds=1))
    shop.write(other_mugs({"scarf": {"title": "Silk scarf"}}))

    assert shop.build().build == "theirs"


def test_catalogs_live_side_by_side_and_share_what_was_encoded(shop: Shop) -> None:
    shop.write([MUGS[0], MUGS[4]])
    encoder = FakeEncoder()

    report = shop.build(encoder, catalog="outlet")

    assert (report.products, encoder.photos) == (2, 0)
    assert shop.called("mug", "outlet") == ["mug-red"]
    assert set(shop.called("mug")) == {"mug-red", "mug-blue", "cup"}
    assert manifest(shop, "outlet").catalog == "outlet"


def test_the_memory_store_says_when_the_embeddings_are_gone_and_a_build_brings_them_back(shop: Shop) -> None:
    shutil.rmtree(shop.settings.home / "embeddings")

    with pytest.raises(StoreMismatch, match="build the catalogue again"), shop.live():
        pass
    encoder = FakeEncoder()
    assert shop.build(encoder).state == "published"
    assert encoder.photos == 5
    assert shop.looking_like(encoder.word("red"))[0] == "mug-red"


def test_a_lost_embedded_store_is_written_again_without_the_encoder(on_disk: Path, tmp_path: Path) -> None:
    shop = copied(on_disk, tmp_path, "edge")
    shutil.rmtree(shop.settings.home / "stores")

    with pytest.raises(StoreMismatch, match="not in the edge store"), shop.live():
        pass
    encoder = FakeEncoder()
    assert shop.build(encoder).state == "published"
    assert (encoder.photos, encoder.texts) == (0, [])
    assert shop.looking_like(encoder.word("red"))[0] == "mug-red"


def test_what_a_build_measures_does_not_depend_on_the_order_of_the_rows(shop: Shop) -> None:
    shop.write(MUGS[::-1])
    shop.build(catalog="reversed")
    measured = manifest(shop, "reversed").model_dump(exclude={"build", "catalog", "created"})

    assert measured == manifest(shop).model_dump(exclude={"build", "catalog", "created"})


def test_the_manifest_says_what_can_be_filtered_and_how_scores_spread(shop: Shop) -> None:
    built = manifest(shop)

    assert built.fields["colour"] == "keyword"
    assert set(built.vocabulary["colour"]) == {"red", "green", "blue"}
    assert set(built.spreads) == set(QueryKind)
    assert all(spread.deviation > 0 for kind in built.spreads.values() for spread in kind.values())
    assert built.libraries["vitrine"]
    with shop.live() as index:
        photos = [
            index.store.fetch([point_id("shop", one.product_id, one.image_id)]) for one in shop.photos(ImageState.READY)
        ]
    rows = [vectors[Channel.IMAGE] for found in photos for vectors in found.values()]
    np.testing.assert_allclose(built.fill[Channel.IMAGE], np.mean(rows, axis=0), atol=1e-3)


def test_progress_is_told_stage_by_stage_up_to_the_total(new_shop: Shop) -> None:
    sell_mugs(new_shop)
    stages: list[Progress] = []
    new_shop.build(stages=stages)

    last = {(one.stage, one.unit): one for one in stages}
    assert list(last) == [("reading", "rows"), ("embedding", "images"), ("embedding", "texts")]
    assert [(one.done, one.total) for one in last.values()] == [(5, None), (5, 5), (5, 5)]


def test_a_language_without_a_stemmer_is_refused_before_anything_is_read(shop: Shop) -> None:
    with catalogue(shop.settings) as database:
        pipeline = Pipeline(database, shop.settings, FakeEncoder())
        with pytest.raises(SettingsError, match="No lexical search for language 'xx'; choose da, de, en"):
            pipeline.run(open_source(shop.file), "klingon", lambda _: None, "xx")
        with database.session() as session:
            assert CatalogRepository(session).names() == ("shop",)


def test_a_catalog_keeps_its_language(shop: Shop) -> None:
    with catalogue(shop.settings) as database:
        pipeline = Pipeline(database, shop.settings, FakeEncoder())
        assert pipeline.run(open_source(shop.file), "shop", lambda _: None, "de").state == "published"
        assert pipeline.run(open_source(shop.file), "shop", lambda _: None).state == "unchanged"

    assert manifest(shop).language == "de"


def test_numbers_and_dates_of_a_catalogue_can_be_compared(tmp_path: Path) -> None:
    """A store has dates as days since 1970-01-01."""
    new_shop = Shop.at(tmp_path)
    new_shop.file.write_text("id,title,weight,added\nold,Mug,250,1970-01-02\nnew,Mug,90.5,2026-01-31\n", "utf-8")
    new_shop.build()

    with new_shop.live() as index:
        found = {
            field: [hit.product_id for hit in index.store.search(WordsQuery("mug"), 10, Condition(field, Op.GT, least))]
            for field, least in (("weight", 90.5), ("added", 1.0))
        }
        assert index.manifest.fields.items() >= {"weight": FieldType.NUMBER, "added": FieldType.DATE}.items()
    assert found == {"weight": ["old"], "added": ["new"]}
