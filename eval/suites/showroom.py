"""The suites that ship with the project: the showroom asked in words and photos that no training has seen."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eval.showroom import shopper_photos
from eval.suites.files import write_suite
from eval.suites.making.cards import edit_card, photo_card, text_card
from eval.suites.making.census import Census
from eval.suites.making.edit import chosen, edit_question, strangers_of, triplets_of
from eval.suites.making.photo import PHOTOS, PhotoQuery, file_name, graded
from eval.suites.making.questions import Question, asked
from eval.suites.making.sampling import half_of
from eval.suites.making.sayings import COLOUR, MATERIAL, PATTERN
from eval.suites.making.text import ATTRIBUTES, absent_questions, code_questions, misspelt_questions
from eval.suites.making.writing import write_photos
from eval.suites.suite import Suite, SuiteQuery
from indexer.builds.texts import FieldCensus
from indexer.domain import Availability, ImageRef, Product
from indexer.showroom.catalogue import ShowroomProduct, catalogue
from indexer.showroom.claims import truth
from indexer.showroom.queries import EDIT_QUESTIONS, held_out_queries
from indexer.showroom.render import renderer_hash
from indexer.showroom.split import stable_fraction
from indexer.showroom.write import photo_names

CATALOG = "showroom"
CLUTTER = "medium"
FEW = 50
"""Codes, misspellings and absent things."""
EDITS = 200
SEED = 0
SOURCE = "eval.suites.showroom"
_IN, *_SO = EDIT_QUESTIONS
"""`do you have this in {}?`, which patterns do not fit, and the wordings that take any look."""
CHANGES: Mapping[str, tuple[str, ...]] = {
    COLOUR: EDIT_QUESTIONS,
    PATTERN: tuple(_SO),
    MATERIAL: (_IN, *(wording.format("made of {}") for wording in _SO)),
}


def write_showroom_suites(
    home: Path, photos: int = 400, products: Sequence[ShowroomProduct] | None = None
) -> tuple[Suite, Suite, Suite]:
    """Text, photo and edit under `home/suites/showroom`; the same files on every machine that renders the same.

    `photos` of the products are photographed, those of lowest hash; rendering one takes a fraction of a second and is
    done once. The catalog that answers is built from `write_showroom`'s catalogue file.
    """
    shown = tuple(catalogue() if products is None else products)
    directory = home / "suites" / CATALOG
    census = census_of(shown)
    suites = (
        _text(shown, census, directory / "text"),
        _photo(shown, photos, home / "showroom-photos" / renderer_hash(), directory / "photo"),
        _edit(census, directory / "edit"),
    )
    for suite in suites:
        write_suite(suite, suite.directory)
    return suites


def every_colour(products: Sequence[ShowroomProduct] | None = None) -> Suite:
    """Each product asked for in each colour that a variant like it has; one wording, and nothing on disk."""
    census = census_of(tuple(catalogue() if products is None else products))
    changes = (one for _, family in census.parents() for one in triplets_of(family) if one.field == COLOUR)
    questions = [edit_question(one, one.value, EDIT_QUESTIONS[:1], (), ()) for one in changes]
    card = edit_card(CATALOG, SOURCE).model_copy(
        update={"name": f"{CATALOG}-colours", "description": "Every product in every colour that there is of it."}
    )
    return Suite(card, *asked(questions))


def no_such_variant(products: Sequence[ShowroomProduct] | None = None) -> Suite:
    """One product of each family asked for in a colour that there is of its kind, and not of it: things of that kind in
    that colour answer; one wording, and nothing on disk."""
    shown = tuple(catalogue() if products is None else products)
    of_kind: dict[str, dict[str, list[str]]] = {}
    families: dict[str, list[ShowroomProduct]] = {}
    for one in shown:
        of_kind.setdefault(one.look.kind, {}).setdefault(one.look.colour, []).append(one.id)
        families.setdefault(one.parent, []).append(one)
    questions = []
    for parent, (first, *others) in families.items():
        missing = sorted(of_kind[first.look.kind].keys() - {one.look.colour for one in (first, *others)})
        if missing:
            colour = missing[sum(parent.encode()) % len(missing)]
            grades = dict.fromkeys(of_kind[first.look.kind][colour], 1)
            tags = (first.look.kind,)
            questions.append(Question(f"{first.id}_{colour}", (f"but {colour}",), grades, parent, tags, first.id))
    card = edit_card(CATALOG, SOURCE).model_copy(
        update={"name": f"{CATALOG}-no-such-variant", "description": "Products in colours of their kind."}
    )
    return Suite(card, *asked(questions))


def census_of(products: Sequence[ShowroomProduct]) -> Census:
    """What the suites' makers need to know of the showroom."""
    read = [as_product(product) for product in products]
    fields = FieldCensus()
    for product in read:
        fields.add(product)
    census = Census(fields.vocabulary(), "en", EDITS, SEED)
    census.add((product, None) for product in sorted(read, key=lambda one: one.id))
    return census


def as_product(product: ShowroomProduct) -> Product:
    """As the catalogue holds it."""
    return Product(
        id=product.id,
        title=product.title,
        parent=product.parent,
        description=product.description,
        brand=product.brand,
        category=product.category,
        price=product.price,
        currency=product.currency,
        availability=Availability(product.availability),
        attributes=product.attributes,
        images=tuple(ImageRef(name) for name in photo_names(product)),
    )


def _text(products: Sequence[ShowroomProduct], census: Census, directory: Path) -> Suite:
    """Looks that training never showed in wording it never read, then codes, slips and absent things."""
    attributes = held_out_questions(products)
    slips = misspelt_questions(attributes, census.vocabulary_words(), FEW, SEED)
    questions = [*attributes, *code_questions(census, FEW), *slips, *absent_questions(census, FEW, SEED)]
    return Suite(text_card(CATALOG, SOURCE, absent=True), *asked(questions), directory)


def held_out_questions(products: Sequence[ShowroomProduct]) -> list[Question]:
    """One for every combination of kind, colour and pattern that training left out, in two wordings."""
    queries = held_out_queries(product.look for product in products)
    told = truth([query.claim for query in queries], [product.look for product in products])
    category = {product.look.kind: product.category[-1].casefold() for product in products}
    wordings: dict[str, list[str]] = {}
    grades: dict[str, dict[str, int]] = {}
    for query, row in zip(queries, told, strict=True):
        name = "-".join(query.id.rpartition("|")[0].replace("|", "_").split())
        wordings.setdefault(name, []).append(query.text)
        grades[name] = {product.id: 1 for product, holds in zip(products, row, strict=True) if holds}
    kinds = {"-".join(kind.split()): kind for kind in category}
    return [
        Question(name, tuple(said), grades[name], name, (ATTRIBUTES, category[kinds[name.partition("_")[0]]]))
        for name, said in wordings.items()
    ]


def _photo(products: Sequence[ShowroomProduct], count: int, rendered: Path, directory: Path) -> Suite:
    description = f"Shopper's photos of products in rooms, {CLUTTER} clutter, rendered from seeds training never used."
    gallery = "Gallery: every product of the catalog, the best photo of each; the query photos are none of them."
    queries, qrels = write_photos(_photographed(products, count, rendered), directory)
    return Suite(photo_card(CATALOG, SOURCE, description, gallery), queries, qrels, directory)


def _photographed(products: Sequence[ShowroomProduct], count: int, rendered: Path) -> Iterator[PhotoQuery]:
    picked = sorted(products, key=lambda product: stable_fraction("shopper", product.id))[:count]
    shopper_photos(rendered, picked, CLUTTER)
    families: dict[str, list[str]] = {}
    for product in products:
        families.setdefault(product.parent, []).append(product.id)
    for product in picked:
        query = SuiteQuery(
            id=f"photo_{product.id}",
            photo=f"{PHOTOS}/{file_name(product.id)}",
            split=half_of(product.parent),
            tags=(product.category[-1].casefold(),),
        )
        grades = graded(product.id, families[product.parent], frozenset())
        yield PhotoQuery(query, grades, (rendered / CLUTTER / f"{product.id}.jpg").read_bytes())


def _edit(census: Census, directory: Path) -> Suite:
    questions = [
        edit_question(one, one.value, CHANGES[one.field], strangers_of(one, census), ())
        for one in chosen(census.parents(), EDITS)
    ]
    return Suite(edit_card(CATALOG, SOURCE), *asked(questions), directory)
