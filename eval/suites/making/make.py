"""Suites from a catalogue itself: no labels, no licence, any shop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eval.errors import EmptySuite
from eval.generation import Generation
from eval.suites.files import write_suite
from eval.suites.making.cards import edit_card, photo_card, text_card
from eval.suites.making.census import CODE_FIELDS, Census
from eval.suites.making.edit import BARE, CHANGES, Triplet, chosen, edit_question, strangers_of
from eval.suites.making.photo import photo_queries, sharing, with_photos
from eval.suites.making.questions import Question, asked
from eval.suites.making.text import absent_questions, attribute_questions, code_questions, misspelt_questions
from eval.suites.making.writing import claim, write_photos
from eval.suites.suite import Suite, SuiteCard
from indexer.builds.live import published_build
from indexer.builds.pages import pages
from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest, Frozen
from indexer.errors import NothingPublished
from indexer.images.decoders import DecoderPool

FEWER = 4
"""Of codes, misspellings and absent things there are this many times fewer questions than of attributes."""
Watch = Callable[[int, int], None]


class MadeKind(StrEnum):
    """What can be made of a catalogue; all but photo and edit are in the suite `text`."""

    TEXT = "text"
    PHOTO = "photo"
    EDIT = "edit"
    SKU = "sku"
    MISSPELT = "misspelt"
    ABSENT = "absent"


class Recipe(Frozen):
    """The same recipe over the same catalogue makes the same suites, byte for byte."""

    catalog: str
    kinds: tuple[MadeKind, ...] = tuple(MadeKind)
    queries: Annotated[int, Field(ge=1)] = 200
    """Questions of a kind; each question in words is put in up to three ways."""
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def command(self) -> str:
        kinds = ",".join(self.kinds)
        return (
            f"vitrine eval make-suite --catalog {self.catalog} --kinds {kinds} --queries {self.queries} "
            f"--seed {self.seed}"
        )


@dataclass(frozen=True)
class Made:
    """`left_out`: why a kind that was wanted is not there."""

    suites: tuple[Suite, ...]
    left_out: Mapping[MadeKind, str]


def make_suites(recipe: Recipe, out: Path, database: Database, decoders: DecoderPool, watch: Watch) -> Made:
    """Writes `out/text`, `out/photo` and `out/edit`, those of them that were wanted and can be made.

    Raises UnknownCatalog, NothingPublished, EmptySuite when nothing can be made, SuiteError when the place is taken.
    """
    workshop = _Workshop(recipe, out, database, decoders, watch)
    made = [suite for suite in (workshop.text(), workshop.photo(), workshop.edit()) if suite is not None]
    if not made:
        reasons = "; ".join(f"{kind}: {reason}" for kind, reason in workshop.left_out.items())
        raise EmptySuite(f"No suite can be made of catalog {recipe.catalog}. {reasons}.")
    return Made(tuple(made), workshop.left_out)


@dataclass
class _Workshop:
    recipe: Recipe
    out: Path
    database: Database
    decoders: DecoderPool
    watch: Watch
    left_out: dict[MadeKind, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        catalog, build = published_build(self.database, self.recipe.catalog)
        for name in ("text", "photo", "edit"):
            claim(self.out / name)
        with self.database.session() as session:
            manifest = BuildRepository(session).manifest(build)
        if manifest is None:
            raise NothingPublished(f"Build {build} of catalog {catalog} was never finished; build the catalogue again.")
        self.gallery = Generation(self.database, catalog, manifest.generation)
        self.census = taken(self.database, manifest, self.recipe.queries, self.recipe.seed)

    def text(self) -> Suite | None:
        """Attributes, codes, misspellings and absent things."""
        few, seed = max(1, self.recipe.queries // FEWER), self.recipe.seed
        attributes = attribute_questions(self.census, self.recipe.queries, seed)
        made = {
            MadeKind.TEXT: attributes,
            MadeKind.SKU: code_questions(self.census, few),
            MadeKind.MISSPELT: misspelt_questions(attributes, self.census.vocabulary_words(), few, seed),
            MadeKind.ABSENT: absent_questions(self.census, few, seed),
        }
        wanted = {kind: questions for kind, questions in made.items() if kind in self.recipe.kinds}
        self.left_out |= {kind: self._why_not(kind) for kind, questions in wanted.items() if not questions}
        questions = [question for some in wanted.values() for question in some]
        if not any(question.grades for question in questions):
            if wanted.get(MadeKind.ABSENT):
                self.left_out[MadeKind.ABSENT] = "there is no question with an answer to tell them from"
            return None
        absent = bool(wanted.get(MadeKind.ABSENT))
        return self._written(text_card(self.recipe.catalog, self.recipe.command, absent), questions, "text")

    def photo(self) -> Suite | None:
        if MadeKind.PHOTO not in self.recipe.kinds:
            return None
        products = with_photos(self.census.families(), self.recipe.queries)
        if not products:
            self.left_out[MadeKind.PHOTO] = "no product has a photo that can be searched"
            return None
        made = photo_queries(products, self.gallery, self.decoders, self.recipe.seed, self.watch)
        directory = self.out / "photo"
        queries, qrels = write_photos(made, directory)
        if not queries:
            self.left_out[MadeKind.PHOTO] = f"none of the photos can be read any more under {self.gallery.root}"
            return None
        description = "Catalogue photos stood in other rooms or taken from another angle, in other light."
        gallery = "Gallery: every product of the catalog, best photo of each, the one a query was made from among them."
        card = photo_card(self.recipe.catalog, self.recipe.command, description, gallery)
        suite = Suite(card, queries, qrels, directory)
        write_suite(suite, directory)
        return suite

    def edit(self) -> Suite | None:
        if MadeKind.EDIT not in self.recipe.kinds:
            return None
        triplets = chosen(self.census.parents(), self.recipe.queries)
        if not triplets:
            self.left_out[MadeKind.EDIT] = (
                "no two products of one parent differ in just one of colour, pattern and material"
                if self.census.parents()
                else "no product names a parent, so that nothing is known to be a variant"
            )
            return None
        photos = [one.reference.photo for one in triplets if one.reference.photo is not None]
        doubles = sharing(self.gallery, photos)
        questions = [self._edited(one, doubles.get(one.reference.photo or "", frozenset())) for one in triplets]
        return self._written(edit_card(self.recipe.catalog, self.recipe.command), questions, "edit")

    def _edited(self, triplet: Triplet, doubles: frozenset[str]) -> Question:
        said = self.census.said((triplet.field, triplet.value))
        wordings = CHANGES[triplet.field] if self.census.english else BARE
        return edit_question(triplet, said, wordings, strangers_of(triplet, self.census), sorted(doubles))

    def _written(self, card: SuiteCard, questions: list[Question], name: str) -> Suite:
        suite = Suite(card, *asked(questions), self.out / name)
        write_suite(suite, suite.directory)
        return suite

    def _why_not(self, kind: MadeKind) -> str:
        if kind is MadeKind.TEXT:
            return "no colour, pattern, material or brand in plain words that few enough products carry"
        if kind is MadeKind.SKU:
            fields = ", ".join(sorted(CODE_FIELDS))
            return f"ids such as {self.census.ids[0]!r} are no article numbers, and no product has one in {fields}"
        if kind is MadeKind.MISSPELT:
            return "there is no attribute question to misspell"
        if not self.census.english:
            return f"the list of things is English, the catalog's language is {self.census.language!r}"
        return "the catalogue mentions every thing on the list"


def taken(database: Database, manifest: BuildManifest, wanted: int, seed: int) -> Census:
    """A page in memory at a time."""
    census = Census(manifest.vocabulary, manifest.language, wanted, seed)
    for page in pages(database, manifest.catalog, manifest.generation):
        census.add((entry.product, next(iter(entry.hashes), None)) for entry in page)
    return census
