"""A larger shop: forty posters, twelve things in three colours each, and one product of every awkward sort."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.catalog.rules import Rule, RuleContent
from indexer.catalog.states import RuleKind, RuleState
from indexer.domain import BuildManifest
from indexer.settings import SearchSettings, Settings
from service.rerank.verifier import Verifier
from service.search.answer import Answer, Result
from service.search.drawing import Artist, Photos
from service.search.query import Query
from service.search.rules import RuleBook
from service.search.searcher import Searcher
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.worlds import photo_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
THINGS = ("mug", "bowl", "plate", "jug", "vase", "lamp", "chair", "stool", "shelf", "clock", "rug", "basket")
COLOURS = ("red", "blue", "green")
HUES = (*COLOURS, "yellow", "black", "white")
"""Of the posters, one after the other."""
POSTERS = tuple(f"poster-{number:02d}" for number in range(40))
AWKWARD = ("AB-1234", "xk-77b", "tray", "twin-a", "twin-b", "twin-c", "spoon", "sketch", "drawer")
PRODUCTS = (*POSTERS, *(f"{thing}-{colour}" for thing in THINGS for colour in COLOURS), *AWKWARD)


def write_bazaar(folder: Path) -> Path:
    """The JSONL file; its photos lie beside it."""
    folder.mkdir(parents=True)
    path = folder / "products.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in _rows(folder)), "utf-8")
    return path


def _rows(folder: Path) -> Iterator[Mapping[str, object]]:
    for number, id in enumerate(POSTERS):
        colour = HUES[number % len(HUES)]
        day = f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}"
        title = f"{colour.title()} poster {number}"
        yield _row(folder, id, title, [colour], colour=colour, price=f"{5 + number % 7}.50 EUR", added=day)
    for number, thing in enumerate(THINGS):
        for colour in COLOURS:
            given = {"colour": colour, "material": ("glass", "oak", "wool")[number % 3], "rating": str(1 + number % 5)}
            yield _row(folder, f"{thing}-{colour}", f"{colour.title()} {thing}", [colour], parent=thing, **given)
    yield _row(folder, "AB-1234", "Tea towel", ["white"], colour="white")
    yield _row(folder, "xk-77b", "Oven glove", ["black"], colour="black")
    yield _row(folder, "tray", "Tray of the house", ["red", "black"])
    for id in ("twin-a", "twin-b"):
        yield _row(folder, id, "Yellow umbrella", ["yellow"], shown="umbrella", parent=f"of-{id}", colour="yellow")
    yield _row(folder, "twin-c", "Umbrella stand", ["yellow"], shown="umbrella", colour="yellow")
    yield _row(folder, "spoon", "Spoon", ["white"], colour="silver", material="silver")
    yield _row(folder, "sketch", "Sketch of a boat", [], colour="red")
    yield _row(folder, "drawer", "Drawer", ["white"], in_stock="out of stock")


def _row(folder: Path, id: str, title: str, photos: Sequence[str], shown: str = "", **given: str) -> dict[str, object]:
    names = [f"{shown or id}-{place}.png" for place in range(len(photos))]
    for name, colour in zip(names, photos, strict=True):
        (folder / name).write_bytes(photo_of(colour, seed=crc32(name.encode())))
    stock = given.pop("in_stock", "in stock")
    return {"id": id, "title": title, "price": "20 EUR", "availability": stock, "images": names, **given}


@dataclass(frozen=True)
class FixedRules:
    """Rules as if they were stored, oldest first."""

    rules: tuple[Rule, ...]

    def book(self, build: BuildManifest, *, drafts: bool = False) -> RuleBook:
        counted = [rule for rule in self.rules if drafts or rule.state is RuleState.LIVE]
        return RuleBook.of(counted, build.fields)


def rule(
    kind: RuleKind,
    query: str = "",
    products: tuple[str, ...] = (),
    words: tuple[str, ...] = (),
    expression: str = "",
    state: RuleState = RuleState.LIVE,
) -> Rule:
    """Its id is its kind, and `-draft` behind it where it is one."""
    content = RuleContent(kind, query, products, words, expression, 1 if kind is RuleKind.PIN else None)
    id = kind.value if state is RuleState.LIVE else f"{kind.value}-draft"
    return Rule(id, "bazaar", content, state, "ann", NOON, "ann", NOON)


@dataclass(frozen=True)
class Bazaar:
    """The shop opened on one store. What differs from it is another one with the same store."""

    index: LiveIndex
    database: Database
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    settings: SearchSettings = field(default_factory=SearchSettings)
    rules: tuple[Rule, ...] = ()
    photos: Photos | None = None
    verifier: Verifier | None = None
    artist: Artist | None = None

    def set(self, **changes: object) -> "Bazaar":
        return replace(self, settings=SearchSettings.model_validate(changes))

    def ruled(self, *rules: Rule) -> "Bazaar":
        return replace(self, rules=rules)

    def ask(self, query: Query) -> Answer:
        products, rules = CatalogProducts(self.database), FixedRules(self.rules)
        searcher = Searcher(products, self.settings, rules, self.photos, verifier=self.verifier, artist=self.artist)
        return searcher.search(query, self.index, self.encoder)

    def ids(self, query: Query) -> list[str]:
        return ids(self.ask(query))

    def found(self, query: Query) -> dict[str, Result]:
        return {result.id: result for result in self.ask(query).results}


def ids(answer: Answer) -> list[str]:
    return [result.id for result in answer.results]


@contextmanager
def opened(settings: Settings) -> Iterator[Bazaar]:
    """The published build; one owner at a time where the store is embedded."""
    database = open_catalogue(settings)
    index = open_live(database, settings, published_build(database, None)[1])
    try:
        yield Bazaar(index, database)
    finally:
        index.close()
        database.dispose()
