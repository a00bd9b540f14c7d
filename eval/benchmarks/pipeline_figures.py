"""A whole build beside what it is made of: the same calls of the encoder alone, and the same photos decoded alone.

Builds with the store on the disk and with the one that is kept nowhere take turns. The encoder is an exported ViT-B/32
in whole numbers, the fastest that a CPU has, so that all else weighs most. Where decoding and encoding share the cores,
as on a CPU, a build cannot reach the slower of the two: `of both` says what it reaches of the rate at which the cores
could do one after the other.
"""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from eval.benchmarks.figures import Figure, Given, Missing, Wanted
from eval.benchmarks.indexing import ARCHITECTURE, Round, round_of
from eval.benchmarks.models import random_export
from indexer.encoders import Encoder
from indexer.encoders.exported.record import NotExportable, Towers
from indexer.encoders.exported.runtime import open_exported
from indexer.showroom.catalogue import catalogue
from indexer.showroom.write import write_showroom

PRODUCTS: Final = 300
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
        source = write_showroom(Path(folder) / "showroom", catalogue()[:PRODUCTS])
        written, unwritten = _builds(Path(folder), source, open_exported(export, Towers(text="int8", image="int8")))
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
        baseline=[one.rate for one in unwritten],
        wanted=WITH_THE_STORE,
    )


def _builds(work: Path, source: Path, encoder: Encoder) -> tuple[Sequence[Round], Sequence[Round]]:
    """With the store written and without, in turn; the first of each is not counted."""
    encoder.encode_texts(["warm up"])
    done: dict[Literal["edge", "memory"], list[Round]] = {"edge": [], "memory": []}
    for number in range(ROUNDS + 1):
        for kind, rounds in done.items() if number % 2 else reversed(done.items()):
            rounds.append(round_of(work / f"{kind}-{number}", source, encoder, kind))
    return done["edge"][1:], done["memory"][1:]
