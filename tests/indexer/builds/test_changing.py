"""Live changes and the builds that run, are resumed and are gone back to while they happen."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from indexer.builds.changing import LiveChange, put_source
from indexer.builds.gates import Candidate
from indexer.builds.life import rollback
from indexer.builds.live import published_build
from indexer.builds.progress import Progress
from indexer.builds.verdict import GateVerdict
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import Channel, Condition, Matrix, Op, Pixels, point_id
from indexer.errors import (
    BuildFailed,
    EncoderMismatch,
    InputError,
    NothingPublished,
    SourceError,
    UnknownProduct,
    VectorsMissing,
)
from indexer.sources import Source, SourceRow, open_source
from indexer.stores.memory_keeping import MemoryStores
from tests.fakes import FakeEncoder
from tests.indexer.builds.changed import GLOVE, SOURCE, World, costs, found
from tests.indexer.builds.shop import Shop, catalogue
from tests.qdrant_server.made import local_stores


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One build published; three products without photos, which need no decoder."""
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, local_stores())
        world.write(SOURCE)
        world.build()
        yield world


class Once:
    """Does something the first time it is called for a stage."""

    def __init__(self, stage: str, act: Callable[[], object]) -> None:
        self._stage = stage
        self._act = act
        self.done = False

    def __call__(self, progress: Progress) -> None:
        self.at(progress.stage)

    def at(self, stage: str) -> None:
        if stage == self._stage and not self.done:
            self.done = True
            self._act()

    def source(self, read: Source) -> Source:
        def rows() -> Iterator[tuple[int, SourceRow]]:
            self.at("before reading")
            yield from enumerate(read.rows())

        return Source(read.path, read.name, read.root, read.columns, rows)

    def gate(self, candidate: Candidate) -> GateVerdict:
        self.at("publishing")
        return GateVerdict(gate="test", passed=True)


STAGES = ("before reading", "reading", "embedding", "writing", "publishing")


@pytest.mark.parametrize(
    ("kind", "stage"), [*(("qdrant", stage) for stage in STAGES), ("memory", "embedding"), ("memory", "publishing")]
)
def test_what_is_changed_while_a_build_runs_is_in_it(tmp_path: Path, kind: str, stage: str) -> None:
    """The source has the old price, the old title and the product that is deleted, and lacks the one that is put."""
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, MemoryStores() if kind == "memory" else local_stores())
        world.write(SOURCE)
        first = world.build().build
        world.write(SOURCE + GLOVE)

        def change() -> None:
            world.put({"id": "vase", "title": "Tall vase", "price": 5}, {"id": "scarf", "title": "Silk scarf"})
            world.update("hat", price=9, attributes={"fit": "wide"})
            world.delete("coat")

        once = Once(stage, change)
        report = world.build(once, once.source(world.source()), once.gate)

        assert once.done
        assert (report.state, report.build != first) == ("published", True)
        products = world.products()
        assert {name: one.title for name, one in products.items()} == {
            "glove": "Leather glove",
            "hat": "Straw hat",
            "scarf": "Silk scarf",
            "vase": "Tall vase",
        }
        assert (products["hat"].price, products["hat"].attributes) == (Decimal(9), {"colour": "yellow", "fit": "wide"})
        with world.live() as index:
            assert index.store.count() == 4
            assert found(index, "hat", costs(9)) == ["hat"]
            assert found(index, "vase silk glove coat woollen") == ["glove", "scarf", "vase"]


def test_a_build_that_is_killed_and_gone_on_with_keeps_what_was_changed_before_and_after(
    any_ledger: Shop, ledger: Database
) -> None:
    world = World(any_ledger, ledger, local_stores())
    world.write(SOURCE)
    world.build()
    world.write(SOURCE + GLOVE)

    def change_and_die() -> None:
        world.update("hat", price=9)
        world.put({"id": "vase", "title": "Tall vase"})
        raise SystemExit

    with pytest.raises(SystemExit):
        world.build(Once("writing", change_and_die))
    world.delete("coat")
    with world.database.begin() as session:
        builds = BuildRepository(session)
        killed = builds.recent("shop", limit=1)[0]
        builds.release(killed.id, killed.owner or "", datetime.now(UTC))

    assert world.build().build == killed.id
    assert set(world.products()) == {"hat", "scarf", "glove", "vase"}
    with world.live() as index:
        assert found(index, "hat", costs(9)) == ["hat"]
        assert index.store.count() == 4


def test_a_later_build_takes_the_products_as_its_source_has_them(world: World) -> None:
    world.update("hat", price=9)
    world.put({"id": "vase", "title": "Tall vase"})
    world.delete("coat")
    assert set(world.products()) == {"hat", "scarf", "vase"}
    world.build()
    assert set(world.products()) == {"hat", "scarf", "coat"}
    with world.live() as index:
        assert found(index, "hat coat vase", costs(20)) == ["hat"]
        assert index.store.count() == 3


def test_changes_belong_to_builds_one_goes_back_to(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, MemoryStores())
        world.write(SOURCE)
        first = world.build().build
        world.write(SOURCE.replace("Straw hat", "Felt hat") + GLOVE)
        world.build()
        world.update("hat", price=9)
        world.put({"id": "vase", "title": "Tall vase"})
        world.delete("coat")

        assert rollback(database, shop.settings, "shop").build == first
        products = world.products()
        assert set(products) == {"hat", "scarf", "vase"}
        assert (products["hat"].title, products["hat"].price) == ("Straw hat", Decimal(9))
        with world.live() as index:
            assert found(index, "straw", costs(9)) == ["hat"]
            assert found(index, "felt glove coat") == []


@pytest.mark.parametrize(("stage", "photos"), [("embedding", []), ("writing", ["vase.png"]), ("publishing", [])])
def test_a_build_with_another_encoder_reads_what_is_put_meanwhile(world: World, stage: str, photos: list[str]) -> None:
    """The published build's encoder read it, which is of no use to the new one."""
    new = FakeEncoder("new")
    world.shop.draw("vase.png", "blue")

    def change() -> None:
        world.put({"id": "vase", "title": "Tall vase", "images": photos})
        world.update("hat", attributes={"colour": "straw"})

    once = Once(stage, change)
    world.build(once, gate=once.gate, encoder=new)

    assert once.done
    assert new.texts.count("Tall vase") == 1
    assert new.photos == len(photos)
    with world.live(new) as index:
        assert index.manifest.encoder == new.spec.identity
        images = [image.image_id for image in world.products()["vase"].images]
        vase = point_id("shop", "vase", images[0] if images else "")
        vectors = index.store.fetch([vase])[vase]
        assert vectors[Channel.TEXT] @ new.encode_texts(["Tall vase"])[0] == pytest.approx(1, abs=1e-3)
        assert found(index, "straw") == ["hat"]


def test_what_another_encoder_than_the_published_ones_read_is_refused(world: World) -> None:
    """As when a build is published between reading and putting."""
    old = world.encoder
    world.build(encoder=FakeEncoder("new"))
    with pytest.raises(EncoderMismatch, match="published meanwhile, has another encoder; give the products again"):
        world.put({"id": "vase", "title": "Tall vase"}, encoder=old)
    assert "vase" not in world.products()


def test_one_cannot_go_back_to_an_encoder_that_never_read_what_was_put_since(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, MemoryStores())
        world.write(SOURCE)
        first = world.build().build
        new = FakeEncoder("new")
        second = world.build(encoder=new).build
        world.put({"id": "vase", "title": "Tall vase"}, encoder=new)
        with pytest.raises(VectorsMissing, match=rf"embeddings of build {first} of catalog shop are gone"):
            rollback(database, shop.settings, "shop")
        assert published_build(database, "shop")[1] == second
        world.delete("vase")
        assert rollback(database, shop.settings, "shop").build == first


def test_an_update_keeps_the_vectors_and_changes_the_words(world: World) -> None:
    hat = point_id("shop", "hat", "")
    with world.live() as index:
        before = index.store.fetch([hat])[hat][Channel.TEXT]
    world.update("hat", attributes={"colour": "turquoise"})
    with world.live() as index:
        assert index.store.fetch([hat])[hat][Channel.TEXT] @ before == pytest.approx(1, abs=1e-3)
        assert found(index, "turquoise", Condition("colour", Op.EQ, "turquoise")) == ["hat"]
        assert found(index, "yellow") == []


def test_an_update_of_the_price_leaves_a_product_as_a_source_would_give_it(world: World) -> None:
    world.update("hat", price=9)
    with world.database.session() as session:
        assert ProductRepository(session).text_keys("shop", ["hat"], generation=1) == {}


def test_an_update_changes_each_build_from_what_that_build_has(world: World) -> None:
    """The running build has another title, price and vector than the published one; they stay."""
    world.write(SOURCE.replace("Straw hat,20 EUR,yellow", "Felt hat,25 EUR,green"))
    once = Once("writing", lambda: world.update("hat", attributes={"fit": "wide", "colour": None}))
    world.build(once)
    hat = world.products()["hat"]
    assert once.done
    assert (hat.title, hat.price, hat.attributes) == ("Felt hat", Decimal(25), {"fit": "wide"})
    felt = point_id("shop", "hat", "")
    with world.live() as index:
        text = world.encoder.encode_texts(["Felt hat, green"])[0]
        assert index.store.fetch([felt])[felt][Channel.TEXT] @ text == pytest.approx(1, abs=1e-3)


def test_a_text_that_was_updated_before_anything_read_it_gets_the_vector_of_the_present_one(world: World) -> None:
    """And keeps it when another product brings the text that was never read."""
    world.write(SOURCE.replace("Straw hat,20 EUR,yellow", "Felt hat,20 EUR,green"))
    once = Once("reading", lambda: world.update("hat", attributes={"colour": "blue"}))
    world.build(once)
    assert once.done
    world.put({"id": "cap", "title": "Felt hat", "attributes": {"colour": "green"}})
    hat = point_id("shop", "hat", "")
    with world.live() as index:
        text = world.encoder.encode_texts(["Felt hat, blue"])[0]
        assert index.store.fetch([hat])[hat][Channel.TEXT] @ text == pytest.approx(1, abs=1e-3)


def test_nothing_is_changed_while_nothing_is_published(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path)
    with catalogue(shop.settings) as database:
        world = World(shop, database, MemoryStores())
        world.write("id,title\nhat,\n")
        with pytest.raises(BuildFailed, match="no usable row"):
            world.build()
        changes: list[Callable[[], LiveChange]] = [
            lambda: world.put({"id": "vase", "title": "Vase"}),
            lambda: world.update("hat", price=9),
            lambda: world.delete("hat"),
        ]
        for change in changes:
            with pytest.raises(NothingPublished, match="'shop'"):
                change()


def test_one_unknown_product_keeps_all_from_being_deleted(world: World) -> None:
    with pytest.raises(UnknownProduct, match="'hut'; close to it: hat"):
        world.delete("coat", "hut", "scarf")
    assert set(world.products()) == {"hat", "scarf", "coat"}
    assert world.delete("coat", "coat", " hat\u200b").products == ["coat", "hat"]


def test_many_photos_are_encoded_in_parts(world: World) -> None:
    parts: list[int] = []

    class Parting(FakeEncoder):
        def encode_images(self, images: Sequence[Pixels]) -> Matrix:
            parts.append(len(images))
            return super().encode_images(images)

    names = [f"{number}.png" for number in range(70)]
    for number, name in enumerate(names):
        world.shop.draw(name, "red", mark=number)
    world.put({"id": "vase", "title": "Vase", "images": names}, encoder=Parting())
    assert parts == [64, 6]
    with world.live() as index:
        assert index.store.count() == 3 + 70


def test_a_file_is_put_in_parts_and_its_broken_rows_told(world: World, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    rows = [f"new-{number},New {number},{number}" for number in range(150)]
    path.write_text("\n".join(["id,title,price", *rows, "new-x,,1", "new-1,Again,1", "hat,Sun hat,many"]))
    with world.seeing() as eyes:
        done = put_source(world.database, "shop", open_source(path), eyes, lambda progress: None)
    assert len(done.products) == done.sequence == 150
    assert [(one.line, one.product, one.reason) for one in done.rejected] == [
        (152, None, "broken_row"),
        (153, None, "broken_row"),
        (154, None, "broken_row"),
    ]
    assert [one.detail for one in done.rejected][:2] == [
        "no title",
        "duplicate id 'new-1': the first row with it is kept",
    ]
    assert len(world.products()) == 153
    assert world.products()["hat"].title == "Straw hat"


def test_a_file_without_a_usable_row_changes_nothing(world: World, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("id,title\nnew,\n")
    with (
        world.seeing() as eyes,
        pytest.raises(SourceError, match=r"no usable row; nothing was changed. Row 2: no title"),
    ):
        put_source(world.database, "shop", open_source(path), eyes, lambda progress: None)


def test_a_product_given_twice_is_refused_before_anything_is_read(world: World) -> None:
    new = FakeEncoder()
    with pytest.raises(InputError, match="'vase' is given twice"):
        world.put({"id": "vase", "title": "Vase"}, {"id": "vase", "title": "Vase"}, encoder=new)
    assert new.texts == []
