from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.domain import Channel, Pixels, Product, Vector, point_id
from indexer.errors import ContradictoryEdit, UnknownProduct
from indexer.settings import EditSettings
from service.search.query import Query
from service.search.questions import Editing, Encoded, away, encode
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, picture, settings_of

IMAGE, TEXT, _ = Channel


@pytest.fixture(scope="module")
def index(home: Path) -> Iterator[LiveIndex]:
    settings = settings_of(home, store={"kind": "memory"})
    database = open_catalogue(settings)
    index = open_live(database, settings, published_build(database, None)[1])
    yield index
    index.close()
    database.dispose()


@pytest.fixture(scope="module")
def products(home: Path, index: LiveIndex) -> dict[str, Product]:
    database = open_catalogue(settings_of(home))
    ids = ["mug-red", "mug-sketch", "shoe-red", "mug-plain"]
    found = dict(CatalogProducts(database).get_many(index.manifest, ids))
    database.dispose()
    return found


class Says:
    """A rewriter that always says the same."""

    def __init__(self, caption: str | None) -> None:
        self.caption = caption

    def rewrite(self, caption: str, wanted: str) -> str | None:
        return self.caption


def edit(
    index: LiveIndex, product: Product, change: str = "but blue", editing: Editing | None = None, like: str = ""
) -> Encoded:
    return encode(Query(like=like or product.id, change=change), index, FakeEncoder(), product, editing)


def names(encoded: Encoded) -> list[str]:
    assert encoded.edit is not None
    return [route.name for route in encoded.edit.routes]


def cosine(one: Vector, other: Vector) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_an_edit_of_a_product_is_looked_for_by_four_routes(index: LiveIndex, products: dict[str, Product]) -> None:
    encoded = edit(index, products["mug-red"], editing=Editing(picture=picture("red")))
    assert names(encoded) == ["arithmetic", "identity", "recolour", "caption"]
    assert [(one.source, one.target) for one in encoded.changes] == [("red", "blue")]
    assert encoded.edit is not None
    arithmetic, identity, recolour, caption = encoded.edit.routes
    encoder = FakeEncoder()
    assert arithmetic.vectors == encoded.vectors
    assert identity.blind
    assert np.allclose(encoded.edit.changed @ identity.vectors[IMAGE], 0, atol=1e-5)
    assert cosine(recolour.vectors[IMAGE], encoder.word("blue")) > 0.9
    assert np.allclose(caption.vectors[TEXT], encoder.encode_texts(["blue mug, blue, ceramic, Acme"])[0])
    for route in encoded.edit.routes:
        assert all(np.linalg.norm(vector) == pytest.approx(1, abs=1e-5) for vector in route.vectors.values())


def test_routes_that_cannot_be_gone_are_left_out(index: LiveIndex, products: dict[str, Product]) -> None:
    seen = Editing(picture=picture("red"))
    assert names(edit(index, products["mug-red"])) == ["arithmetic", "identity", "caption"]
    assert names(edit(index, products["mug-red"], "in glass", seen)) == ["arithmetic", "identity", "caption"]
    assert names(edit(index, products["mug-red"], "something nicer", seen)) == ["arithmetic", "caption"]
    assert names(edit(index, products["mug-sketch"])) == ["arithmetic", "caption"], "it has no photo"
    shopper = Query(photo=picture("red"), photo_colours=("red",), change="but blue")
    assert names(encode(shopper, index, FakeEncoder(), None)) == ["arithmetic", "identity", "recolour"]


@pytest.mark.parametrize(("change", "looked_at"), [("in glass", 0), ("something nicer", 0), ("but blue", 1)])
def test_a_shoppers_photo_is_looked_at_large_only_where_its_colour_is_to_change(
    index: LiveIndex, change: str, looked_at: int
) -> None:
    looks = []

    def canvas() -> Pixels:
        looks.append(change)
        return picture("red", side=64)

    shopper = Query(photo=picture("red"), photo_colours=("red",), change=change, canvas=canvas)
    encoded = encode(shopper, index, FakeEncoder(), None)
    assert len(looks) == looked_at
    assert names(encoded).count("recolour") == looked_at


def test_routes_are_switched_off_by_their_weight(index: LiveIndex, products: dict[str, Product]) -> None:
    def gone(**routes: float) -> list[str]:
        settings = EditSettings.model_validate({"routes": routes})
        return names(edit(index, products["mug-red"], editing=Editing(settings, picture("red"))))

    assert gone(caption=0) == ["arithmetic", "identity", "recolour"]
    assert gone(arithmetic=0, identity=0, caption=0) == ["recolour"]
    assert gone(arithmetic=0, identity=0, caption=0, recolour=0) == ["arithmetic"], "something has to be searched"


def test_a_rewriter_words_the_caption_and_rules_do_when_it_fails(
    index: LiveIndex, products: dict[str, Product]
) -> None:
    encoder = FakeEncoder()
    for said, caption in (("azure cup", "azure cup"), (None, "blue mug, blue, ceramic, Acme")):
        encoded = edit(index, products["mug-red"], editing=Editing(rewriter=Says(said)))
        assert encoded.edit is not None
        assert np.allclose(encoded.edit.routes[-1].vectors[TEXT], encoder.encode_texts([caption])[0])
        assert bool(encoded.skipped) is (said is None)


def test_an_edit_starts_from_the_first_photo(index: LiveIndex, products: dict[str, Product]) -> None:
    """The red shoe has a red photo and a black one."""
    encoded = edit(index, products["shoe-red"])
    first = point_id(CATALOG, "shoe-red", products["shoe-red"].images[0].image_id)
    assert encoded.edit is not None
    assert np.allclose(encoded.edit.reference[IMAGE], index.store.fetch([first])[first][IMAGE], atol=1e-5)


def test_what_is_to_go_is_the_source_where_nobody_else_knows_it(index: LiveIndex, products: dict[str, Product]) -> None:
    (change,) = edit(index, products["mug-plain"], "yellow instead of green").changes
    assert (change.source, change.target) == ("green", "yellow")


def test_a_contradictory_edit_is_refused(index: LiveIndex, products: dict[str, Product]) -> None:
    with pytest.raises(ContradictoryEdit, match="colour"):
        edit(index, products["mug-red"], "in green, in blue")


def test_a_product_that_the_build_lacks_is_unknown(index: LiveIndex) -> None:
    with pytest.raises(UnknownProduct, match="build the catalogue again"):
        edit(index, Product("nobody", "Nobody"))


def test_photos_of_one_thing_are_averaged(index: LiveIndex) -> None:
    encoder = FakeEncoder()
    one, other = picture("red", 1), picture("red", 2)
    encoded = encode(Query(photo=one, further_photos=(other,)), index, encoder, None)
    mean = encoder.encode_images([one, other]).mean(axis=0)
    assert np.allclose(encoded.vectors[IMAGE], mean / np.linalg.norm(mean), atol=1e-6)
    assert encoded.edit is None


def test_words_to_avoid_are_taken_off_the_query(index: LiveIndex) -> None:
    encoder = FakeEncoder()
    plain = encode(Query(words="mug logo"), index, encoder, None).vectors[TEXT]
    apart = encode(Query(words="mug logo"), index, encoder, None, avoid=["logo"]).vectors[TEXT]
    assert cosine(apart, encoder.word("logo")) < cosine(plain, encoder.word("logo")) - 0.3
    assert cosine(apart, encoder.word("mug")) > cosine(plain, encoder.word("mug"))


def test_nothing_to_avoid_changes_nothing() -> None:
    vector = FakeEncoder().word("mug")
    assert np.allclose(away({TEXT: vector}, np.empty((0, 64), np.float32))[TEXT], vector)
