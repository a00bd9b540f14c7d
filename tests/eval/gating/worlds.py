"""A shop of mugs whose photos get mixed up, and the suites that notice."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval.suites.files import write_suite
from eval.suites.suite import Qrels, Suite, SuiteCard, SuiteQuery
from indexer.builds.gates import Candidate
from indexer.builds.live import open_live
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest
from indexer.encoders import Encoder
from indexer.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, Item, photo_of

EACH = 12
"""Mugs of a colour: more than the ten products that a canary must be among."""
COLOURS = ("red", "blue")
MUGS = tuple(Item(f"{colour}-{n}", f"Mug {n}", photos=[colour]) for colour in COLOURS for n in range(EACH))
MIXED_UP = tuple(Item(one.id, one.title, photos=["blue" if one.photos == ["red"] else "red"]) for one in MUGS)
"""The red ones show blue mugs, and the other way round."""
PHOTOS = {f"{colour}-{n}": (colour, EACH * place + n) for place, colour in enumerate(COLOURS) for n in range(3)}
"""The mugs whose own photo is asked for, with its colour and number."""
WORDS = ("{0}", "{0} {0}", "{0} {0} mug")


def photo_suite(directory: Path, wants: Mapping[str, str] | None = None) -> Suite:
    """Photos of six mugs; `wants` names other right answers than the mug itself, by query."""
    queries = tuple(SuiteQuery(id=one, photo=f"{one}.png") for one in PHOTOS)
    qrels = {one: {(wants or {}).get(one, one): 1} for one in PHOTOS}
    suite = written(directory, "photos", CATALOG, queries, qrels)
    for one, (colour, number) in PHOTOS.items():
        (directory / f"{one}.png").write_bytes(photo_of(colour, seed=number * 10))
    return suite


def word_suite(directory: Path, catalog: str = CATALOG) -> Suite:
    """Colours in words, which no title has: only the photos can answer."""
    asked = {f"{colour}-{n}": (colour, words) for colour in COLOURS for n, words in enumerate(WORDS)}
    queries = tuple(SuiteQuery(id=name, text=words.format(colour)) for name, (colour, words) in asked.items())
    qrels = {name: {f"{colour}-{n}": 1 for n in range(EACH)} for name, (colour, _) in asked.items()}
    return written(directory, "words", catalog, queries, qrels)


def written(directory: Path, name: str, catalog: str, queries: tuple[SuiteQuery, ...], qrels: Qrels) -> Suite:
    measures = ("RR@10", "P@1")
    card = SuiteCard(name=name, description="d", licence="none", protocol="p", catalog=catalog, measures=measures)
    suite = Suite(card, queries, qrels, directory)
    write_suite(suite, directory)
    return suite


@dataclass(frozen=True)
class MugShop:
    """The mugs as they were published, and a later build, refused, in which their photos are mixed up."""

    settings: Settings
    database: Database
    published: str
    mixed: str
    refusal: str
    words: Path
    photos: Path

    @contextmanager
    def candidate(
        self, encoder: Encoder | None = None, published: str | None = None, alone: bool = False, **demands: object
    ) -> Iterator[Candidate]:
        """The refused build, to replace the published one unless `alone`; `demands` are settings of the gate."""
        gate = type(self.settings.gate).model_validate(demands)
        settings = self.settings.model_copy(update={"gate": gate})
        other = None if alone else published or self.published
        with closing(open_live(self.database, settings, self.mixed)) as index:
            yield Candidate(self.database, settings, index, encoder or FakeEncoder(), other)


def fake_encoder(manifest: BuildManifest) -> Encoder:
    return FakeEncoder()
