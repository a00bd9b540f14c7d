"""A whole build beside what it is made of: the same calls of the encoder alone, and the same photos decoded alone.

Builds with the store on the disk and with the one that is kept nowhere take turns. The encoder is an exported ViT-B/32
in whole numbers, the fastest that a CPU has, so that all else weighs most; so does what a build pays once, about two
seconds of starting processes and making tables, among so few photos. Where decoding and encoding share the cores, as on
a CPU, a build cannot reach the slower of the two: `of both` says what it reaches of the rate at which the cores could
do one after the other.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from eval.benchmarks.figures import Figure, Given, Missing, Wanted
from eval.benchmarks.indexing import ARCHITECTURE, Round, build, first_of, round_of, some_of_the_showroom
from eval.benchmarks.models import random_export
from indexer.encoders import Encoder
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.settings import Settings
from indexer.store_settings import StoreSettings

PRODUCTS: Final = 180
WARM: Final = 10
"""Products of the build that is not counted."""
ROUNDS: Final = 3
AGAINST_THE_SLOWER: Final = Wanted(at_least=0.90)
WITH_THE_STORE: Final = Wanted(at_least=0.95)


def figures(given: Given) -> Iterator[Figure | Missing]:
    try:
        _, export = random_export(given.work, ARCHITECTURE)
    except NotExportable as error:
        yield Missing(name="pipeline", why=str(error))
        return
    with tempfile.TemporaryDirectory(prefix="vitrine-") as folder:
        source = some_of_the_showroom(given.work, Path(folder) / "shop", PRODUCTS)
        yield from built(Path(folder), source, open_exported(export, Towers(text="int8", image="int8")), ROUNDS)


def built(work: Path, source: Path, encoder: Encoder, rounds: int) -> Iterator[Figure]:
    """Of builds with the store written and without, in turn."""
    round_of(work / "warm", first_of(source, work / "few", WARM), encoder)
    written: list[Round] = []
    unwritten: list[float] = []
    turn = [
        lambda number: written.append(round_of(work / f"edge-{number}", source, encoder)),
        lambda number: unwritten.append(build(_nowhere(work / f"memory-{number}"), source, encoder)),
    ]
    for number in range(rounds):
        for one in turn if number % 2 else reversed(turn):
            one(number)
    yield Figure.of(
        "pipeline.build",
        f"a build of {written[0].photos} photos, {ARCHITECTURE} exported, int8",
        [one.rate for one in written],
        unit="photos/s",
        kind="share",
        against="the slower of its encoder alone and its decoding alone",
        baseline=[one.slower for one in written],
        wanted=AGAINST_THE_SLOWER,
        beside={"of both": statistics.median(one.rate / one.both for one in written)},
    )
    yield Figure.of(
        "pipeline.store",
        "the same build with its Edge store written",
        [one.rate for one in written],
        unit="photos/s",
        kind="share",
        against="with a store that is kept nowhere",
        baseline=[one.photos / whole for one, whole in zip(written, unwritten, strict=True)],
        wanted=WITH_THE_STORE,
    )


def _nowhere(home: Path) -> Settings:
    return Settings(home=home, store=StoreSettings(kind="memory"))
