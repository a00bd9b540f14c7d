"""A model judge over an endpoint on this machine, and what it is given to judge."""

import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import TypedDict

import numpy as np
from PIL import Image

from indexer.breaker import Breaker
from indexer.catalog.engine import Database
from indexer.domain import BuildManifest, ImageRef, Pixels, Product, QueryKind
from indexer.images.fit import Fit
from indexer.settings import BudgetSettings, Price, RerankSettings
from service.budget.governor import Governor
from service.endpoint import Endpoint
from service.rerank.cache import VerdictCache
from service.rerank.model import Model
from service.rerank.seam import Candidate, Case, Opinions
from service.rerank.verdicts import PHOTO, Constraint, Mark
from tests.fakes import FakeEncoder
from tests.openai_server import OpenAiServer, Reply, Request, answering
from tests.service.search.understanding.shop import SHOP
from tests.service.worlds import picture

RED = Constraint(field="colour", value="red")
MUG = Constraint(field="kind", value="mug")
LOOKS = Constraint(field=PHOTO, value="")
PRICE = Price(input=1.0, output=1.0, image=100)
FREE = Price(input=0, output=0)
SECRET = "sk-not-to-be-seen"


class Told(TypedDict):
    shopper: str
    product: str
    checks: dict[str, str]


@dataclass
class Photos:
    """By image id; the others are red. `hashed` are those whose contents are not known, or whose hash is another."""

    pixels: dict[str, Pixels] = field(default_factory=dict)
    hashed: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    hanging: Collection[str] = ()
    """Which do not come before `enough` is set."""
    enough: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def of(self, build: BuildManifest, product: Product, image_id: str, fit: Fit, until: float | None = None) -> Pixels:
        self.asked.append(image_id)
        if image_id in self.hanging:
            self.enough.wait(60)
        if image_id in self.errors:
            raise self.errors[image_id]
        return self.pixels.get(image_id, picture("red"))

    def hashes(self, build: BuildManifest, product_ids: Sequence[str]) -> Mapping[tuple[str, str], str]:
        known = {(id, image_of(id)): self.hashed.get(image_of(id), f"hash of {id}") for id in product_ids}
        return {key: value for key, value in known.items() if value is not None}


@dataclass
class Bench:
    model: Model
    server: OpenAiServer
    photos: Photos
    governor: Governor
    breaker: Breaker

    def judge(self, case: Case, ids: Iterable[str] = "abcdefgh", seconds: float = 30.0) -> Opinions:
        return self.model.rerank(case, [candidate(id) for id in ids], time.monotonic() + seconds)


@contextmanager
def bench(
    database: Database,
    *,
    budget: BudgetSettings | None = None,
    price: Price = PRICE,
    settings: Mapping[str, object] | None = None,
    address: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Bench]:
    """Its endpoint says yes to everything. `settings` are those of verification,
    `address` that of another endpoint, which is left alone for 30 s of the `clock` when it keeps failing."""
    with OpenAiServer(yes) as server:
        known = {"base_url": server.url, "model": "small", "side": 64}
        rerank = RerankSettings.model_validate({**known, **(settings or {})})
        governor, breaker, photos = (
            Governor(database, budget or BudgetSettings()),
            Breaker(rest_seconds=30.0, clock=clock),
            Photos(),
        )
        cache = VerdictCache(database, rerank.keep_days, rerank.keep_verdicts)
        endpoint = Endpoint(address or server.url, SECRET, rerank.model, setting="rerank")
        model = Model(endpoint, rerank, governor, cache, breaker, photos, price)
        try:
            yield Bench(model, server, photos, governor, breaker)
        finally:
            photos.enough.set()
            model.close()


def image_of(id: str) -> str:
    return ImageRef(f"{id}.png").image_id


def product(id: str, *, photo: bool = True) -> Product:
    return Product(id, f"Mug {id}", price=Decimal(4711), images=(ImageRef(f"{id}.png"),) if photo else ())


def candidate(id: str, *, photo: bool = True) -> Candidate:
    return Candidate(product(id, photo=photo), image_of(id) if photo else "", None, {})


def asked_for(
    *checklist: Constraint,
    kind: QueryKind = QueryKind.TEXT,
    words: str = "red mug",
    view: Pixels | None = None,
    reference: Product | None = None,
    caller: str = "",
) -> Case:
    return Case(kind, words, checklist or (RED, MUG), SHOP, FakeEncoder(), view, reference, caller)


def answers(judged: Callable[[Request, str], str]) -> Callable[[Request], Reply]:
    """An endpoint that answers each check, by its question, with what `judged` says."""

    def answer(request: Request) -> Reply:
        return answering({name: judged(request, question) for name, question in checks_in(request).items()})

    return answer


def checks_in(request: Request) -> dict[str, str]:
    return told(request)["checks"]


def told(request: Request) -> Told:
    """The JSON object of the request, which is its last text."""
    said: Told = json.loads(request.text.splitlines()[-1])
    return said


def marks(opinions: Opinions) -> list[list[Mark] | None]:
    return [None if one is None else [each.mark for each in one.judgements] for one in opinions.opinions]


@dataclass
class Crowd:
    """Counts those who are in a place at once; the first ones stay until as many are there as are `expected`."""

    expected: int
    most: int = 0
    _here: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _all: threading.Event = field(default_factory=threading.Event)

    def stay(self) -> None:
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        if self.most >= self.expected:
            self._all.set()
        self._all.wait(30)
        time.sleep(0.02)
        with self._lock:
            self._here -= 1


def shown(jpeg: bytes) -> Pixels:
    with Image.open(BytesIO(jpeg)) as photo:
        return np.asarray(photo)


def yes(request: Request) -> Reply:
    return answers(lambda request, question: "A")(request)
