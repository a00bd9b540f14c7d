"""What the recoloured photo brings, in a shop of squares: to an encoder without words nothing else leads to another
colour."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.errors import SuiteError
from eval.relevance.recolouring import ColourRow, PoolRow, colour_rows, colour_table, pool_row, pool_table
from eval.runs.runner import Bench
from eval.suites.suite import Split, Suite, SuiteQuery
from indexer.bootstrap import open_catalogue
from indexer.domain import Vector
from indexer.encoders import Encoder
from indexer.settings import EditSettings, SearchSettings
from service.photos import CataloguePhotos
from tests.eval.worlds import CARD, fake_bench
from tests.fakes import FakeEncoder
from tests.service.worlds import Item, build, settings_of, write_catalogue

MUGS = [Item(f"mug-{colour}", "Mug", colour, [colour], parent="mug") for colour in ("red", "blue")]
CAPS = [Item(f"cap-{colour}", "Cap", colour, [colour], parent="cap") for colour in ("red", "green")]
PAIRS = (("mug-red", "mug-blue", Split.TUNE), ("cap-red", "cap-green", Split.REPORT))
SEARCH = SearchSettings(edits=EditSettings(routes={"recolour": 4}))


class WordlessEncoder(FakeEncoder):
    """To which all words are one."""

    def _text(self, text: str) -> Vector:
        return self.word("word")


def suite(wordings: tuple[str, ...] = ("in {}",)) -> Suite:
    queries = tuple(
        SuiteQuery(
            id=f"{right}-{number}",
            like=like,
            change=said.format(right.partition("-")[2]),
            split=split,
            paraphrases=right,
            exclude=(like,),
        )
        for like, right, split in PAIRS
        for number, said in enumerate(wordings)
    )
    return Suite(CARD, queries, {query.id: {str(query.paraphrases): 1} for query in queries})


@contextmanager
def opened(folder: Path, items: list[Item], encoder: Encoder) -> Iterator[Bench]:
    settings = settings_of(folder / "home", store={"kind": "memory"})
    build(settings, write_catalogue(folder / "shop", items), encoder)
    with fake_bench(settings, encoder) as bench:
        yield replace(bench, photos=CataloguePhotos(open_catalogue(settings), bench.decoders))


@pytest.fixture(scope="module")
def colourless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The shop says no colours, and so cannot put behind what has another one."""
    items = [replace(item, colour="") for item in (*MUGS, *CAPS)]
    with opened(tmp_path_factory.mktemp("colourless"), items, WordlessEncoder()) as bench:
        yield bench


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with opened(tmp_path_factory.mktemp("coloured"), [*MUGS, *CAPS], FakeEncoder()) as bench:
        yield bench


@pytest.fixture(scope="module")
def row(colourless: Bench) -> PoolRow:
    return pool_row("a mug", suite(("in {}", "but {}")), colourless, WordlessEncoder(), SEARCH)


def test_the_pool_is_asked_without_the_photo_and_with_it(row: PoolRow) -> None:
    assert (row.queries, row.without, row.recoloured) == (4, 0.0, 1.0)
    assert row.gain == (1.0, 1.0, 1.0)


def test_the_wordings_of_one_family_are_one_question(row: PoolRow) -> None:
    """One question alone has no interval."""
    assert row.reported[0] == 1.0
    assert np.isnan(row.reported[1:]).all()


def test_every_picture_that_is_timed_is_seen_for_the_first_time(colourless: Bench) -> None:
    counting = WordlessEncoder()
    pool_row("a mug", suite(("in {}", "but {}")), colourless, counting, SEARCH)
    assert counting.photos == len(PAIRS)


def test_the_recoloured_photo_is_nearer_in_colour_than_the_photo_as_it_is(coloured: Bench) -> None:
    recoloured, as_it_is = colour_rows(suite(("in {}", "but {}")), coloured)
    assert (recoloured.photo, as_it_is.photo) == ("recoloured", "as it is")
    assert recoloured.pairs == as_it_is.pairs == len(PAIRS)
    assert recoloured.mean[0] < 20 < as_it_is.mean[0]
    assert recoloured.mean[1] <= recoloured.median <= recoloured.mean[2]


def test_a_suite_without_a_colour_that_has_a_name_is_refused(colourless: Bench) -> None:
    with pytest.raises(SuiteError, match="asks for no other colour"):
        colour_rows(suite(), colourless)


def test_the_tables_have_a_line_for_each_row() -> None:
    pool = PoolRow(
        asked="another colour, no text",
        queries=1548,
        without=0.914,
        recoloured=0.934,
        gain=(0.02, 0.009, 0.031),
        reported=(0.015, -0.001, 0.031),
        p95_ms=(2.1, 33.4),
    )
    colour = ColourRow(photo="recoloured", pairs=1548, mean=(10.79, 10.2, 11.4), median=5.35)
    gains = "+.020 [+.009, +.031] | +.015 [−.001, +.031]"
    assert pool_table([pool]).splitlines()[2] == f"| another colour, no text | 1548 | .914 | .934 | {gains} | 2 → 33 |"
    assert colour_table([colour]).splitlines()[2] == "| recoloured | 1548 | 10.8 [10.2, 11.4] | 5.3 |"
    for lines in (pool_table([pool]).splitlines(), colour_table([colour]).splitlines()):
        assert len({line.count("|") for line in lines}) == 1
