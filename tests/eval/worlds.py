"""A suite over the small shop of tests/service/worlds, and the shop opened for measuring."""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from eval.runs.runner import Bench, Verifying
from eval.suites.files import write_suite
from eval.suites.suite import Qrels, Split, Suite, SuiteCard, SuiteQuery
from indexer.bootstrap import open_catalogue
from indexer.builds.live import open_live, published_build
from indexer.domain import QueryKind
from indexer.encoders import Encoder
from indexer.images.decoders import DecoderPool
from indexer.settings import ImageSettings, RerankSettings, Settings
from service.rerank.verifier import Verifier
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.rerank.witnesses import Witness
from tests.service.worlds import CATALOG, photo_of

CARD = SuiteCard(
    name="small",
    description="Queries of every kind over ten products.",
    licence="Apache-2.0",
    protocol="Every product is in the gallery.",
    catalog=CATALOG,
    measures=("nDCG@10", "Success@1", "R@10"),
)
QUERIES = (
    SuiteQuery(id="red-mug", text="red mug", tags=("colour",), split=Split.TUNE),
    SuiteQuery(id="blue-shoe", text="blue shoe", tags=("colour",)),
    SuiteQuery(id="sku", text="XK-4711", tags=("sku",)),
    SuiteQuery(id="photo", photo="photos/red.png"),
    SuiteQuery(id="in-blue", like="mug-red", change="in blue", exclude=("mug-red",), hard_negatives=("shoe-blue",)),
    SuiteQuery(id="more", like="shoe-red", split=Split.TUNE),
    SuiteQuery(id="no-such-thing", text="zeppelin", absent=True),
)
QRELS: Qrels = {
    "red-mug": {"mug-red": 2, "mug-sketch": 1},
    "blue-shoe": {"shoe-blue": 1},
    "sku": {"XK-4711": 1},
    "photo": {"mug-red": 1, "shoe-red": 1},
    "in-blue": {"mug-blue": 1},
    "more": {"shoe-blue": 1},
}


def small_suite(directory: Path) -> Suite:
    """Written to the directory, with its photo."""
    suite = Suite(CARD, QUERIES, QRELS, directory)
    write_suite(suite, directory)
    (directory / "photos").mkdir(exist_ok=True)
    (directory / "photos" / "red.png").write_bytes(photo_of("red", seed=123))
    return suite


def verifying(witness: Witness, **settings: object) -> Verifying:
    """The witness has a say in the order of every kind of query."""
    read = RerankSettings.model_validate({"kinds": [*QueryKind], "seconds": 60, **settings})
    return Verifying(Verifier(read, witness), read)


@cache
def decoders_of(settings: ImageSettings) -> DecoderPool:
    """Those of all tests of a process: starting children takes longer than what most tests have decoded."""
    decoders = DecoderPool.of(settings)
    atexit.register(decoders.close)
    return decoders


@contextmanager
def fake_bench(
    settings: Settings, encoder: Encoder | None = None, verifying: Verifying | None = None
) -> Iterator[Bench]:
    """The published build of the small shop, with the encoder that made it."""
    database = open_catalogue(settings)
    index = open_live(database, settings, published_build(database, CATALOG)[1])
    products, kind, decoders = CatalogProducts(database), settings.store.kind, decoders_of(settings.images)
    yield Bench(index, kind, encoder or FakeEncoder(), products, decoders, verifying=verifying)
    index.close()
