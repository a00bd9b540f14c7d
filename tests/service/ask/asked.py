"""Questions to a fake model over a small shop, for the tests of this folder."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from indexer.bootstrap import open_catalogue
from indexer.breaker import Breaker
from indexer.images.decoders import DecoderPool
from indexer.settings import BudgetSettings, Price, Settings
from service.ask.asking import SECONDS, Asking, Speaker
from service.ask.documents import Answered, AskRequest
from service.budget.governor import Governor
from service.endpoint import Endpoint
from service.photos import CataloguePhotos
from service.rerank.cache import VerdictCache
from service.rerank.calling import Till
from service.rerank.seam import Usage
from service.shop import Shop
from tests.openai_server import OpenAiServer, Reply, Request, Streaming, streaming

DEAR = Price(input=1.0, output=1.0, image=100)
"""US dollars per million tokens."""


def line(sentence: object, *products: object) -> str:
    return json.dumps({"sentence": sentence, "products": products}) + "\n"


def told(*lines: str) -> Reply:
    """Streamed in pieces that end within words."""
    answer = "".join(lines)
    return streaming([answer[start : start + 7] for start in range(0, len(answer), 7)], tokens=(1_000, 50))


def products_of(request: Request) -> dict[int, str]:
    """Number → what the model is told of the product."""
    return {one["number"]: one["text"] for one in json.loads(request.text.partition("\n")[0])["products"]}


@dataclass
class Counter:
    """Over a shop; `server` says what the model answers. Everything shares one endpoint, budget and memory."""

    shop: Shop
    settings: Settings
    decoders: DecoderPool
    server: OpenAiServer
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    seconds: float = SECONDS
    counted: list[Usage] = field(default_factory=list)

    def __post_init__(self) -> None:
        database = open_catalogue(self.settings)
        rerank = self.settings.rerank
        self.endpoint = Endpoint(self.server.url, None, rerank.model, setting="rerank")
        self.governor = Governor(database, self.budget)
        till = Till(self.endpoint, self.governor, Breaker(), DEAR)
        cache = VerdictCache(database, rerank.keep_days, rerank.keep_verdicts)
        self.photos = CataloguePhotos(database, self.decoders)
        speaker = Speaker(till, cache, rerank)
        self.asking = Asking(self.shop.search, database, self.photos, speaker, self.counted.append, self.seconds)

    def ask(self, question: str, caller: str = "", **search: object) -> Answered:
        request = AskRequest.model_validate({"question": question, "text": "mug", **search})
        return Answered.of(self.asking.ask(request, caller))

    def close(self) -> None:
        self.asking.close()
        self.endpoint.close()


Counters = Callable[..., Counter]


def sentences(answered: Answered) -> list[tuple[str, Sequence[str]]]:
    return [(one.text, one.products) for one in answered.sentences]


def endless(begun: str, more: str, pause: float = 0.0) -> Streaming:
    """An answer that never ends."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    return Streaming(head + _event(begun), _event(more), pause)


def _event(piece: str) -> bytes:
    choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()
