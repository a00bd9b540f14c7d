"""What is measured of the showroom and, where its data lie, of a real shop."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Final

from eval.bootstrap import open_bench
from eval.relevance.crowds import GROUNDS, crowds
from eval.relevance.emptiness import absent_questions, emptiness_of_photos, emptiness_of_words
from eval.relevance.magento import (
    COLOURED,
    DESCRIBED,
    MODELS,
    NAMELESS,
    WORDED,
    attribute_questions,
    colour_edits,
    held_out,
    photos_of,
    write_shop,
)
from eval.relevance.measuring import HITS, PHOTO_ALONE, Figure, Part, Way, measure_part, measure_verified, routes_alone
from eval.relevance.recolouring import TEXTLESS, WITHOUT, colour_rows
from eval.relevance.regions import region_figures
from eval.runs.runner import Bench
from eval.runs.settings import with_changes
from eval.showroom import shopper_photos
from eval.suites.making.photo import ITSELF
from eval.suites.showroom import every_colour, no_such_variant, write_showroom_suites
from eval.suites.suite import Split, Suite
from indexer.bootstrap import open_catalogue, open_pipeline
from indexer.printing import watching
from indexer.settings import DatabaseSettings, SearchSettings, Settings
from indexer.showroom.catalogue import catalogue
from indexer.showroom.render import renderer_hash
from indexer.sources import open_source
from indexer.store_settings import StoreSettings
from service.demo import build_showroom, showroom_settings

AS_TYPED: Final[Mapping[str, object]] = {"understand": False}
"""Nothing read out of the words: what the channels know by themselves."""
CHANNELS: Final = tuple(
    Way(f"{channel} channel alone", {**AS_TYPED, "weights.text": {channel: 1.0}})
    for channel in ("image", "text", "lexical")
)
FUSED: Final = Way("channels alone, fused", AS_TYPED)
RAW: Final = Way("raw 0.6/0.4", {**AS_TYPED, "fusion": "raw", "weights.text": {"image": 0.6, "text": 0.4}})
UNRECOLOURED: Final = Way("without recolour", WITHOUT)
UNKEPT: Final = Way("category not kept", {"edits.keep": 0.0})
UNCHANGED: Final = Way("photo without the words", {"weights.similar": {"image": 1.0}}, wordless=True)
VERY_PRODUCT: Final = ("Success(rel=2)@1", "Success(rel=2)@10")


def showroom_figures(settings: Settings, root: Path | None) -> Iterator[Figure]:
    """Words (the half that nothing was tuned on), photos of one product and of several, edits, and what is said to be
    out of the catalogue.

    `root` is where the real shop's data lie: its photos are foreign to the showroom.
    """
    settings = showroom_settings(settings)
    with watching() as watch:
        build_showroom(settings, watch)
    text, photo, edit = write_showroom_suites(settings.home)
    parts = (
        Part("showroom words", text.part(Split.REPORT), ("nDCG@10",), (FUSED, *CHANNELS)),
        Part("showroom photos, medium clutter", photo, VERY_PRODUCT, (PHOTO_ALONE,)),
        Part("showroom photos, high clutter", in_high_clutter(photo, settings.home), VERY_PRODUCT, (PHOTO_ALONE,)),
        Part("showroom edits", edit, HITS, (UNRECOLOURED, UNKEPT, *routes_alone(settings.search), UNCHANGED)),
    )
    colours = every_colour()
    with open_bench(text, settings, verify=True) as bench:
        for part in parts:
            yield from measure_part(part, bench, settings.search)
            yield from measure_verified(_reported(part), bench, settings.search)
        for named, suite in (("showroom edits", edit), ("showroom colours", colours)):
            yield from _textless(named, suite, bench, settings.search)
        yield from _colour_figures("showroom colours", colours, bench)
        absent = Part("showroom edits without a variant", no_such_variant(), ("nDCG@5", "Success@1"), (UNKEPT,))
        yield from measure_part(absent, bench, settings.search)
        for ground in GROUNDS:
            named = f"showroom crowded photos, {ground}"
            yield from region_figures(named, crowds(catalogue(), ground), bench, settings.search)
        yield from _showroom_emptiness(text.part(Split.REPORT), photo, bench, settings.search, root)


def _reported(part: Part) -> Part:
    """Over the half that nothing was chosen on, the thresholds of verification among it."""
    return replace(part, suite=part.suite.part(Split.REPORT))


def in_high_clutter(photo: Suite, home: Path) -> Suite:
    """The suite's products photographed once more, among more things and less like the shop's photo of them."""
    rendered = home / "showroom-photos" / renderer_hash()
    own = {
        query.id: next(name for name, grade in photo.qrels[query.id].items() if grade == ITSELF)
        for query in photo.queries
    }
    shopper_photos(rendered, [product for product in catalogue() if product.id in own.values()], "high")
    queries = tuple(query.model_copy(update={"photo": f"high/{own[query.id]}.jpg"}) for query in photo.queries)
    return replace(photo, queries=queries, directory=rendered)


def _showroom_emptiness(
    text: Suite, photo: Suite, bench: Bench, search: SearchSettings, root: Path | None
) -> Iterator[Figure]:
    for tag in dict.fromkeys(query.tags[0] for query in text.queries):
        said = [query.text for query in text.queries if query.tags[0] == tag]
        yield emptiness_of_words(f"showroom, words: {tag}", said, bench, search)
    yield emptiness_of_words("showroom, words: other absent things", [*absent_questions(bench)], bench, search)
    yield emptiness_of_photos("showroom, shoppers' photos", photo, bench, search)
    if root is not None:
        yield emptiness_of_photos("showroom, photos of clothes", photos_of(root, held_out(root)), bench, search)


CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {
    "worded": WORDED,
    "coloured": COLOURED,
    "nameless": NAMELESS,
    "described": DESCRIBED,
}
"""The last is for verification alone, which goes by fields."""


def shop_figures(settings: Settings, root: Path) -> Iterator[Figure]:
    """Attribute questions and colour edits over the held-out products, with each of the two encoders."""
    rows = held_out(root)
    foreign = write_showroom_suites(settings.home)[1]
    home = settings.home / "eval" / "relevance"
    files = {name: write_shop(root, rows, home / name, columns) for name, columns in CATALOGUES.items()}
    for model in MODELS:
        apart = _apart(settings, home, root / "models" / model)
        for name, file in files.items():
            catalog = f"{name}-{model}"
            with watching() as watch:
                open_pipeline(open_catalogue(apart), apart).run(open_source(file), catalog, watch)
            part = _shop_part(name, model, root, catalog, settings.search)
            with open_bench(part.suite, apart, verify=True) as bench:
                if name != "described":
                    yield from measure_part(part, bench, settings.search)
                yield from measure_verified(part, bench, settings.search)
                if name == "nameless":
                    yield from _textless(f"shop edits, {model}", part.suite, bench, settings.search)
                    yield from _colour_figures(f"shop edits, {model}", part.suite, bench)
                if name == "worded":
                    edits = Part(f"shop edits, colours not given, {model}", colour_edits(rows, catalog), HITS, ())
                    yield from measure_verified(edits, bench, settings.search)
                    yield from _shop_emptiness(model, part.suite, foreign, bench, settings.search)


def _textless(named: str, suite: Suite, bench: Bench, search: SearchSettings) -> list[Figure]:
    """The pool with the products' own text left out."""
    part = Part(f"{named}, no text", suite, HITS, (UNRECOLOURED,))
    return measure_part(part, bench, with_changes(search, TEXTLESS))


def _colour_figures(named: str, suite: Suite, bench: Bench) -> Iterator[Figure]:
    """How far the main colour of the recoloured photo, and of the photo as it is, are from the true variant's."""
    for row in colour_rows(suite, bench):
        part = f"{named}, beside the true variant's photo"
        median = (row.median, nan, nan)
        yield Figure(part=part, way=row.photo, measure="CIEDE2000", queries=row.pairs, value=row.mean)
        yield Figure(part=part, way=row.photo, measure="median CIEDE2000", queries=row.pairs, value=median)


def _shop_emptiness(
    model: str, present: Suite, foreign: Suite, bench: Bench, search: SearchSettings
) -> Iterator[Figure]:
    asked: Sequence[tuple[str, Sequence[str]]] = (
        ("attributes", [query.text for query in present.queries]),
        ("other absent things", [*absent_questions(bench)]),
    )
    for said, questions in asked:
        yield emptiness_of_words(f"shop, words: {said}, {model}", questions, bench, search)
    yield emptiness_of_photos(f"shop, the showroom's photos, {model}", foreign, bench, search)


def _shop_part(name: str, model: str, root: Path, catalog: str, search: SearchSettings) -> Part:
    rows = held_out(root)
    if name == "worded":
        suite = attribute_questions(root, rows, catalog)
        return Part(f"shop words, {model}", suite, ("nDCG@10",), (FUSED, RAW, *CHANNELS))
    beside = (UNRECOLOURED, *routes_alone(search), UNCHANGED)
    said = {"coloured": "shared text", "nameless": "no shared text", "described": "fields for text"}[name]
    return Part(f"shop edits, {said}, {model}", colour_edits(rows, catalog), HITS, beside)


def _apart(settings: Settings, home: Path, model: Path) -> Settings:
    """A home of its own, so that none of this is published beside one's own catalogues."""
    encoder = settings.encoder.model_copy(update={"name": str(model.resolve())})
    changes = {"home": home, "encoder": encoder, "database": DatabaseSettings(), "store": StoreSettings()}
    return settings.model_copy(update=changes)
