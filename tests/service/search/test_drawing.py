"""Searching by a picture that was drawn of what is wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from indexer.domain import BuildManifest, Channel, Pixels, Product
from indexer.errors import BadBox, BadPictureRequest, ImageRejected, QueryError, UnknownPicture
from indexer.generate_settings import GenerateSettings
from indexer.images.fit import Fit
from service.generate.cache import ImageCache
from service.generate.recolouring import Recolouring
from service.generate.seam import Generated, ImageGenerator, Recipe, Request, Watch
from service.generate.studio import Studio
from service.search.answer import Answer
from service.search.drawing import Artist, Sitter, Wish
from service.search.meaning import meant
from service.search.query import Query
from service.shop import CatalogProducts
from tests.fakes import ThingEncoder
from tests.service.generate.painters import Painter
from tests.service.search.bazaar import Bazaar, ids, opened
from tests.service.worlds import build, picture, settings_of, write_catalogue

BLUE = Query(like="mug-red", change="but blue", generate="draft")


@dataclass(frozen=True)
class RedPhotos:
    """Every product's photo is red, but those of `gone`, which cannot be had."""

    gone: frozenset[str] = frozenset()
    fits: list[Fit] = field(default_factory=list)

    def first(self, build: BuildManifest, product: Product, fit: Fit) -> Pixels:
        self.fits.append(fit)
        if product.id in self.gone:
            raise ImageRejected("missing", f"the photo of {product.id} is missing.")
        return picture("red")


@dataclass
class Remembering(Painter):
    """A painter that remembers what it was asked for."""

    asked: list[Request] = field(default_factory=list)

    def plan(self, request: Request) -> Sequence[Recipe]:
        self.asked.append(request)
        return super().plan(request)


@pytest.fixture(scope="module")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    folder = tmp_path_factory.mktemp("drawing")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, write_catalogue(folder / "catalogue"), ThingEncoder())
    with opened(settings) as shop:
        yield replace(shop, encoder=ThingEncoder())


@dataclass
class Gallery:
    """The small shop with somebody who draws; pictures are kept in a directory of the test."""

    bazaar: Bazaar
    folder: Path

    def artist(self, *generators: ImageGenerator, photos: RedPhotos | None = None) -> Artist:
        settings = GenerateSettings(draft_seconds=60)
        studio = Studio(generators, ImageCache(self.folder, 10_000_000), settings)
        return Artist(studio, settings, RedPhotos() if photos is None else photos)

    def of(self, *generators: ImageGenerator, photos: RedPhotos | None = None) -> Bazaar:
        photos = RedPhotos() if photos is None else photos
        return replace(self.bazaar, artist=self.artist(*generators, photos=photos), photos=photos)


@pytest.fixture
def gallery(bazaar: Bazaar, tmp_path: Path) -> Gallery:
    return Gallery(bazaar, tmp_path / "generated")


def routes(answer: Answer) -> set[str]:
    return {name for result in answer.results for name in result.routes}


class TestSearching:
    def test_the_picture_is_one_more_route_and_is_told_with_how_it_came_about(self, gallery: Gallery) -> None:
        answer = gallery.of(Recolouring()).ask(BLUE)
        (drawn,) = answer.generated
        assert answer.results[0].id == "mug-blue"
        assert "generated" in answer.results[0].routes
        assert "recolour" not in routes(answer), "the picture takes its place"
        assert {"arithmetic", "identity", "caption"} <= routes(answer)
        assert answer.degraded == []
        assert (drawn.width, drawn.height, drawn.cached, drawn.scores.fit) == (64, 64, False, True)
        assert drawn.url == f"/v1/generated/{drawn.id}.png"
        assert drawn.provenance.recipe.instruction == "but blue"

    def test_without_the_wish_nothing_is_drawn(self, gallery: Gallery) -> None:
        painter = Painter()
        answer = gallery.of(painter).ask(replace(BLUE, generate=None))
        assert (answer.generated, painter.made) == ((), [])
        assert "recolour" in routes(answer)

    def test_a_picture_that_does_not_fit_is_shown_and_not_searched_by(self, gallery: Gallery) -> None:
        wrong = gallery.of(Painter(colours=["green"])).ask(BLUE)
        assert [one.scores.fit for one in wrong.generated] == [False]
        assert "generated" not in routes(wrong)
        assert "recolour" in routes(wrong)
        (why,) = wrong.degraded
        assert why.startswith("diffusion: it is mainly green")
        plain = gallery.of().ask(replace(BLUE, generate=None))
        assert ids(wrong) == ids(plain)

    def test_nobody_can_draw_and_the_search_goes_on(self, gallery: Gallery) -> None:
        refusing = gallery.of(Painter(unsuited="it has no weights")).ask(BLUE)
        assert any("it has no weights" in why for why in refusing.degraded)
        assert refusing.results[0].id == "mug-blue"
        alone = gallery.bazaar.ask(BLUE)
        assert alone.degraded == ["generate: nobody is set up to draw, or this search gives pictures no weight"]
        assert alone.results[0].id == "mug-blue"

    def test_it_never_searches_alone(self, gallery: Gallery) -> None:
        only = {"routes": {"arithmetic": 0, "identity": 0, "caption": 0, "recolour": 0}}
        answer = gallery.of(Recolouring()).set(edits=only).ask(BLUE)
        assert routes(answer) == {"generated", "arithmetic"}

    def test_what_would_not_count_is_not_drawn(self, gallery: Gallery) -> None:
        painter = Painter()
        words = gallery.of(painter).ask(replace(BLUE, weights={Channel.TEXT: 1.0}))
        off = gallery.of(painter).set(edits={"routes": {"generated": 0}}).ask(BLUE)
        for answer in (words, off):
            assert answer.generated == ()
            assert "generated" not in routes(answer)
            assert any("no weight" in why for why in answer.degraded)
        assert painter.made == []

    def test_the_next_page_goes_by_the_same_picture(self, gallery: Gallery) -> None:
        painter = Painter()
        shop = gallery.of(painter)
        first = shop.ask(replace(BLUE, top_k=3))
        second = shop.ask(replace(BLUE, top_k=3, cursor=first.next))
        assert [one.cached for one in second.generated] == [True]
        assert painter.made == [0]
        assert not set(ids(first)) & set(ids(second))

    def test_a_photo_is_started_from_as_large_as_it_was_given(self, gallery: Gallery) -> None:
        large = picture("red", side=256)
        shopper = Query(photo=picture("red"), photo_colours=("red",), change="but blue", canvas=lambda: large)
        answer = gallery.of(Recolouring()).ask(replace(shopper, generate="draft"))
        assert [(one.width, one.scores.fit) for one in answer.generated] == [(256, True)]
        assert answer.results[0].id in ("mug-plain", "mug-blue", "shoe-blue"), "the blue photos"

    def test_a_product_is_started_from_larger_for_a_final_picture(self, gallery: Gallery) -> None:
        photos = RedPhotos()
        shop = gallery.of(Recolouring(), photos=photos)
        shop.ask(BLUE)
        shop.ask(replace(BLUE, generate="final"))
        assert {fit.size for fit in photos.fits if fit.mode == "within"} == {(512, 512), (1024, 1024)}

    @pytest.mark.parametrize(("like", "why"), [("mug-sketch", "has no photo"), ("mug-red", "is missing")])
    def test_what_cannot_be_seen_cannot_be_recoloured(self, gallery: Gallery, like: str, why: str) -> None:
        shop = gallery.of(Recolouring(), photos=RedPhotos(frozenset(["mug-red"])))
        answer = shop.ask(replace(BLUE, like=like))
        assert answer.generated == ()
        assert any(said.startswith("generate: ") and why in said for said in answer.degraded)
        assert answer.results

    def test_a_change_that_is_not_to_be_seen_draws_nothing(self, gallery: Gallery) -> None:
        answer = gallery.of(Recolouring()).ask(replace(BLUE, change="under 40"))
        assert (answer.kind, answer.generated) == ("similar", ())
        assert answer.degraded == ["generate: nothing is to look different"]

    def test_what_recolouring_does_not_show_is_added_by_arithmetic(self, gallery: Gallery) -> None:
        shop = gallery.of(Recolouring())
        both = shop.ask(replace(BLUE, like="mug-red", change="but blue and in glass", group=False)).results
        blue = shop.ask(replace(BLUE, like="mug-red", group=False)).results
        glass = "mug-green"
        place = {name: next(one.rank for one in found if one.id == glass) for name, found in [("b", both), ("a", blue)]}
        assert place["b"] <= place["a"]


class TestByItsId:
    def test_a_picture_that_was_shown_before_is_searched_by_again(self, gallery: Gallery) -> None:
        painter = Painter()
        shop = gallery.of(painter)
        (drawn,) = shop.ask(BLUE).generated
        again = shop.ask(replace(BLUE, generate=None, generated=drawn.id))
        assert [one.id for one in again.generated] == [drawn.id]
        assert "generated" in routes(again)
        assert painter.made == [0]

    def test_of_another_thing_or_colour_it_is_not_searched_by(self, gallery: Gallery) -> None:
        shop = gallery.of(Painter())
        (drawn,) = shop.ask(BLUE).generated
        other = shop.ask(Query(like="mug-red", change="but green", generated=drawn.id))
        assert "generated" not in routes(other)
        assert [one.scores.fit for one in other.generated] == [False]
        assert any(why.startswith("generated: it is mainly blue") for why in other.degraded)

    def test_one_of_a_region_is_judged_by_that_region(self, gallery: Gallery) -> None:
        photo = picture("red", side=128)
        sitter = photo_sitter(gallery, photo)
        artist = gallery.artist(Recolouring())
        (part,) = artist.draw(sitter, Wish(region=(0.4, 0.4, 0.2, 0.2))).pictures
        assert part.scores.fit
        query = Query(photo=photo, photo_colours=("red",), change="but blue", generated=part.picture.id)
        answer = replace(gallery.bazaar, artist=artist).ask(query)
        assert [one.scores.fit for one in answer.generated] == [True], answer.degraded

    @pytest.mark.parametrize("named", ["0" * 64, "../../etc/passwd", ""])
    def test_there_is_no_such_picture(self, gallery: Gallery, named: str) -> None:
        with pytest.raises(UnknownPicture, match="no picture"):
            gallery.of(Recolouring()).ask(replace(BLUE, generate=None, generated=named))

    def test_contradictions_are_refused_by_name(self) -> None:
        with pytest.raises(QueryError, match="not both"):
            replace(BLUE, generated="0" * 64)
        with pytest.raises(QueryError, match="generate: give a product"):
            Query(words="red mug", generate="draft")


class TestWishes:
    @pytest.fixture
    def sitter(self, gallery: Gallery) -> Sitter:
        bazaar = gallery.bazaar
        query = Query(like="mug-red", change="but blue", generate="final", caller="ann")
        product = CatalogProducts(bazaar.database).get_many(bazaar.index.manifest, ["mug-red"])["mug-red"]
        return Sitter(
            query, meant(query, bazaar.index, bazaar.encoder, product), product, bazaar.index.manifest, bazaar.encoder
        )

    def test_everything_that_is_wished_for_reaches_whoever_draws(self, gallery: Gallery) -> None:
        painter = Remembering()
        wish = Wish(
            mode="final", count=2, seed=7, size=(64, 128), steps=3, guidance=1.5, strength=0.25, generator="diffusion"
        )
        sitter = photo_sitter(gallery, picture("red", side=80))
        drawing = gallery.artist(painter).draw(sitter, replace_wish(wish, region=(0.5, 0.25, 0.5, 0.5)))
        (asked,) = painter.asked
        assert (asked.count, asked.seed, asked.size, asked.steps) == (2, 7, (64, 128), 3)
        assert (asked.guidance, asked.strength, asked.mode, asked.generator) == (1.5, 0.25, "final", "diffusion")
        assert asked.mask is not None
        assert np.argwhere(asked.mask).min(axis=0).tolist() == [20, 40]
        assert np.argwhere(asked.mask).max(axis=0).tolist() == [59, 79]
        assert len(drawing.pictures) == 2

    def test_left_to_the_settings_a_final_picture_is_the_best_of_four(self, gallery: Gallery, sitter: Sitter) -> None:
        painter = Remembering()
        gallery.artist(painter).draw(sitter, Wish(mode="final"))
        assert painter.asked[0].count == 4

    def test_whoever_draws_is_told_what_is_there_and_what_is_wanted(self, gallery: Gallery) -> None:
        painter = Remembering()
        gallery.of(painter).ask(BLUE)
        (asked,) = painter.asked
        assert (asked.instruction, asked.before, asked.caption) == ("but blue", "Red mug", "blue mug")
        assert [(one.field, one.source, one.target) for one in asked.changes] == [("colour", "red", "blue")]

    def test_sizes_that_nobody_can_draw_are_refused_by_name(self, gallery: Gallery, sitter: Sitter) -> None:
        with pytest.raises(BadPictureRequest, match="multiples of 8"):
            gallery.artist(Painter()).draw(sitter, Wish(size=(65, 64)))
        with pytest.raises(BadPictureRequest, match="at most 1536 pixels"):
            gallery.artist(Painter()).draw(sitter, Wish(size=(64, 1544)))

    def test_regions_are_refused_by_their_own_name_and_have_at_least_a_pixel(self, gallery: Gallery) -> None:
        sitter = photo_sitter(gallery, picture("red", side=80))
        with pytest.raises(BadBox, match=r"region\.left"):
            gallery.artist(Painter()).draw(sitter, Wish(region=(-1, 0, 1, 1)))
        painter = Remembering()
        gallery.artist(painter).draw(sitter, Wish(region=(0.9999, 0, 0.0001, 1)))
        assert painter.asked[0].mask is not None
        assert painter.asked[0].mask.sum() == 80

    def test_whose_budget_it_is_and_how_long_it_may_take_is_told(self, gallery: Gallery, sitter: Sitter) -> None:
        watches: list[Watch] = []

        class Watched(Painter):
            def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
                watches.append(watch)
                return super().make(request, recipes, watch)

        gallery.artist(Watched()).draw(sitter, Wish(mode="final"))
        assert [watch.caller for watch in watches] == ["ann"]


def photo_sitter(gallery: Gallery, canvas: Pixels) -> Sitter:
    query = Query(photo=picture("red"), photo_colours=("red",), change="but blue", canvas=lambda: canvas)
    query = replace(query, generate="final")
    bazaar = gallery.bazaar
    understood = meant(query, bazaar.index, bazaar.encoder, None)
    return Sitter(query, understood, None, bazaar.index.manifest, bazaar.encoder)


def replace_wish(wish: Wish, **changes: object) -> Wish:
    return wish.model_copy(update=changes)
