"""Guesses of what products lack: which fields are guessed, of which value, and what never is."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.changing import Seeing, put_products
from indexer.builds.embeddings import Embeddings
from indexer.builds.following import readable_points
from indexer.builds.live import published_build, read_layout
from indexer.builds.pages import Entry, Page, entries_of
from indexer.builds.tagging import (
    FEWEST,
    MEASURED,
    Tagger,
    attributes_of,
    mean_vectors,
    measure_tagging,
    palette_shares,
    prompts_of,
    with_guesses,
)
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import AttributeValue, Condition, FieldType, ImageRef, Op, Product, Tagging, WordsQuery
from indexer.encoders.attributes import Attribute
from indexer.errors import SettingsError
from indexer.images.colour import srgb_to_lab
from indexer.images.decoders import DecoderPool
from indexer.settings import AttributeSettings
from tests.fakes import COLOURS, FakeEncoder
from tests.indexer.builds.shop import Shop, catalogue, sell_mugs

SHADES = ("red", "green", "blue")


def shade(**changes: object) -> Attribute:
    plain = {"threshold": 0.5, "templates": ("a {} thing", "{}"), "values": SHADES}
    return Attribute.model_validate({**plain, **changes})


class World:
    """Products whose photos the fake encoder sees as the words they are given as."""

    def __init__(self, home: Path, scale: float = 20.0) -> None:
        self.encoder = FakeEncoder(scale=scale)
        self.embeddings = Embeddings(home, self.encoder.spec.identity)

    def product(self, name: str, *photos: str, palette: str | None = None, **attributes: AttributeValue) -> Entry:
        """`palette`: the colour that fills its photos; absent: they have no palette."""
        hashes = [name.encode().hex().ljust(62, "0")[:62] + f"{number:02x}" for number in range(len(photos))]
        if photos:
            self.embeddings.images.put([bytes.fromhex(one) for one in hashes], self.encoder.encode_texts(photos))
        lab = srgb_to_lab(np.array([COLOURS[palette]], np.uint8))[0].tolist() if palette else ()
        images = tuple(
            ImageRecord(name, one, place, "x.jpg", None, ImageState.READY, one, palette=((*lab, 1.0),) if lab else ())
            for place, one in enumerate(hashes)
        )
        return Entry(Product(id=name, title=name, attributes=attributes), images, b"")

    def measure(
        self,
        field: str,
        attribute: Attribute,
        sample: Page,
        given: Sequence[str] = (),
        kind: FieldType = FieldType.KEYWORD,
    ) -> dict[str, Tagging]:
        """`given`: the values that the catalogue's vocabulary has of the field."""
        fields, vocabulary = ({field: kind}, {field: given}) if given else ({}, {})
        return measure_tagging({field: attribute}, fields, vocabulary, sample, self.encoder, self.embeddings)[0]

    def guesses(self, tagging: dict[str, Tagging], page: Page) -> list[dict[str, str]]:
        photos = self.embeddings.of_images([one for entry in page for one in entry.hashes])
        colours = [palette_shares(entry.images[0]) if entry.images else {} for entry in page]
        return Tagger(tagging, self.encoder.spec.scale, self.embeddings).guesses(page, photos, colours)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_product_gets_the_value_whose_prompts_its_photos_are_nearest_to(world: World) -> None:
    tagging = world.measure("shade", shade(), [])
    page = [
        world.product("apple", "red fruit"),
        world.product("bare"),
        world.product("sea", "blue", "blue water", "green"),
        world.product("told", "red", shade="blue"),
    ]

    assert world.guesses(tagging, page) == [{"shade": "red"}, {}, {"shade": "blue"}, {}]


def test_a_product_keeps_a_value_that_is_given_even_one_too_long_to_filter_by(world: World) -> None:
    tagging = world.measure("shade", shade(), [])

    assert world.guesses(tagging, [world.product("told", "red", shade="x" * 200)]) == [{}]


def test_what_the_encoder_is_not_sure_of_is_not_guessed(world: World) -> None:
    undecided = world.product("toy", "red green")

    assert world.guesses(world.measure("shade", shade(threshold=0.999), []), [undecided]) == [{}]
    assert world.guesses(world.measure("shade", shade(threshold=0.2), []), [undecided]) != [{}]


@pytest.fixture
def doubtful(tmp_path: Path) -> World:
    """Its encoder is sure of little."""
    return World(tmp_path, scale=5.0)


def test_a_colour_is_what_the_encoder_sees_and_the_palette_has(doubtful: World) -> None:
    tagging = doubtful.measure("colour", shade(), [])
    page = [
        doubtful.product("either to the encoder", "red blue", palette="blue"),
        doubtful.product("the other", "red blue", palette="red"),
        doubtful.product("without a palette", "red"),
        doubtful.product("of a colour that is no value", "red", palette="black"),
    ]

    colours = ["blue", "red", "red", "red"]
    assert doubtful.guesses(tagging, page) == [{"colour": colour} for colour in colours]


def test_a_catalogues_own_words_for_colours_are_guessed(doubtful: World) -> None:
    tagging = doubtful.measure("colour", shade(), [], given=["dark red", "deep sea blue"])
    page = [doubtful.product("a", "dark", palette="blue"), doubtful.product("b", "deep", palette="red")]

    assert doubtful.guesses(tagging, page) == [{"colour": "deep sea blue"}, {"colour": "dark red"}]


def test_given_values_are_hidden_and_guessed_to_measure_a_field(world: World) -> None:
    right = [world.product(f"r{n}", "red", shade="RED") for n in range(FEWEST)]
    several = [world.product(f"s{n}", "green", shade=("blue", "Green")) for n in range(FEWEST)]
    wrong = [world.product(f"w{n}", "red", shade="blue") for n in range(5)]
    unsure = [world.product(f"u{n}", "red green", shade="red") for n in range(5)]
    photoless = [world.product("p", shade="red")]
    sample = [*right, *several, *wrong, *unsure, *photoless]
    tagging = world.measure("shade", shade(threshold=0.999), sample, given=SHADES)["shade"]

    assert (tagging.measured, tagging.precision) == (30, 0.8)
    assert tagging.coverage == pytest.approx(25 / 30)
    assert tagging.used


def test_a_field_that_is_often_guessed_wrong_is_not_guessed(world: World) -> None:
    sample = [world.product(str(n), "red", shade="red" if n % 2 else "blue") for n in range(2 * FEWEST)]
    measured = world.measure("shade", shade(), sample, given=SHADES)

    assert measured["shade"].precision == 0.5
    assert not measured["shade"].used
    assert world.guesses(measured, [world.product("new", "red")]) == [{}]
    assert prompts_of(measured) == []


def test_an_untrusted_field_is_guessed_only_where_measuring_it_spoke_for_it(world: World) -> None:
    few = [world.product(str(n), "red", shade="red") for n in range(FEWEST - 1)]
    enough = [*few, world.product("one more", "red", shade="red")]

    assert world.measure("shade", shade(trusted=False), few, given=SHADES) == {}
    assert world.encoder.texts.count("a red thing") == 0, "what is not guessed is not encoded"
    assert world.measure("shade", shade(trusted=False), enough, given=SHADES)["shade"].used


def test_no_more_products_are_measured_than_tell(world: World) -> None:
    one = world.product("one", "red", shade="red")

    assert world.measure("shade", shade(), [one] * (MEASURED + 50), given=SHADES)["shade"].measured == MEASURED


@pytest.mark.parametrize("given", [["red"], [f"red {number}" for number in range(61)]])
def test_too_few_or_too_many_values_of_a_catalogue_are_not_what_is_guessed(world: World, given: list[str]) -> None:
    assert tuple(world.measure("shade", shade(), [], given=given)["shade"].values) == SHADES


def test_a_field_of_numbers_is_not_guessed(world: World) -> None:
    assert world.measure("shade", shade(), [], given=["1", "2"], kind=FieldType.NUMBER) == {}


def test_guessed_fields_can_be_filtered_by_and_have_a_vocabulary(world: World) -> None:
    tagging = world.measure("shade", shade(), [])
    unused = {"odd": tagging["shade"].model_copy(update={"used": False})}
    number = {"price": FieldType.NUMBER}

    assert with_guesses(number, {}, {**tagging, **unused}) == (
        {"price": FieldType.NUMBER, "shade": FieldType.KEYWORD},
        {"shade": list(SHADES)},
    )
    assert with_guesses({"shade": FieldType.KEYWORD}, {"shade": ["pale"]}, tagging)[1] == {"shade": ["pale", *SHADES]}
    assert with_guesses({"shade": FieldType.KEYWORD}, {}, tagging)[1] == {}, "it gives too many to list"


def test_the_mean_of_a_products_photos_has_unit_length_and_photoless_products_have_none(world: World) -> None:
    page = [world.product("bare"), world.product("two", "red", "blue"), world.product("none")]
    photos = world.embeddings.of_images(page[1].hashes)
    rows, means = mean_vectors(page, photos)

    assert rows == [1]
    np.testing.assert_allclose(means, [photos.sum(axis=0) / np.linalg.norm(photos.sum(axis=0))], atol=1e-6)
    assert mean_vectors([page[0]], photos[:0])[0] == []


def test_what_every_product_has_cannot_be_defined_as_a_guess(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[brand]\nthreshold = 0.5\ntemplates = ["{}"]\nvalues = ["acme", "north"]\n')

    with pytest.raises(SettingsError, match="'brand' is a field of every catalogue"):
        attributes_of(AttributeSettings(file=mine), "fake")


@pytest.fixture
def guessing(shop: Shop) -> Shop:
    """Mugs, of which a shade is guessed that no product gives."""
    mine = shop.folder / "mine.toml"
    mine.write_text(f'[shade]\nthreshold = 0.5\ntemplates = ["{{}}"]\nvalues = {json.dumps([*COLOURS])}\n')
    sell_mugs(shop)
    changes = {"attributes": AttributeSettings(file=mine, fields=("shade",))}
    return Shop(shop.folder, shop.settings.model_copy(update=changes))


def having(shop: Shop, field: str, value: str | bool) -> set[str]:
    """The products of the published build that have it."""
    with shop.live() as index:
        words = WordsQuery("red blue green desk woollen new")
        return {hit.product_id for hit in index.store.search(words, 20, Condition(field, Op.EQ, value))}


def test_a_build_marks_what_it_guessed(guessing: Shop) -> None:
    guessing.build()
    pictured = {"mug-red", "mug-blue", "cup", "lamp"}

    assert having(guessing, "shade", "red") == {"mug-red"}
    assert having(guessing, "guessed", "shade") == pictured
    assert having(guessing, "has_image", True) == pictured
    assert having(guessing, "has_image", False) == {"scarf"}


def test_a_product_that_is_put_live_is_guessed_too_even_when_the_cache_lost_the_prompts(guessing: Shop) -> None:
    encoder = FakeEncoder()
    guessing.build(encoder)
    shutil.rmtree(guessing.settings.home / "embeddings")
    seen = Embeddings(guessing.settings.home, encoder.spec.identity)
    new = Product(id="new", title="New mug", images=(ImageRef("blue.png"),))
    with catalogue(guessing.settings) as database, DecoderPool.of(guessing.settings.images) as decoders:
        put_products(database, "shop", [new], Seeing(encoder, seen, decoders))
        build = published_build(database, "shop")[1]
        manifest, _ = read_layout(database, build)
        page = entries_of(database, "shop", manifest.generation, ["new"])
        (point,) = readable_points(page, manifest, seen)

    assert (point.payload["shade"], point.payload["guessed"]) == (["blue"], ["shade"])


def test_another_definition_makes_another_build(guessing: Shop) -> None:
    first = guessing.build()
    again = guessing.build()
    with guessing.live() as index:
        manifest = index.manifest
    off = {"attributes": AttributeSettings(enabled=False)}
    silent = Shop(guessing.folder, guessing.settings.model_copy(update=off))
    other = silent.build()
    with silent.live() as index:
        plain = index.manifest

    assert manifest.vocabulary["shade"] == list(COLOURS)
    assert manifest.tagging["shade"].used
    assert (again.state, again.encoded_texts) == ("unchanged", 0)
    assert other.build not in {first.build, again.build}
    assert "shade" not in plain.fields
    assert plain.tagging == {}
