"""Many at once: what queries that share encoder calls gain, what one alone pays for it, and whether the event loop goes
on while searches take the cores."""

import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from eval.benchmarks.figures import Figure, Wanted, alternate, milliseconds
from eval.benchmarks.results import wordings
from eval.benchmarks.served import Client, served
from indexer.encoders import Encoder
from indexer.errors import StoreUnavailable
from service.batching import BatchingEncoder

CLIENTS: Final = 16
EACH: Final = 6
"""Texts that each client asks for, one behind the other."""
ROUNDS: Final = 5
ALONE: Final = 40
TOGETHER: Final = 16
SEARCHING: Final = 4
"""Clients that search while a cheap endpoint is asked."""
QUESTIONS: Final = 5_000
"""More than they ask in all rounds: what was asked before would not be encoded again."""
WARM: Final = 20
"""Searches before the first round: what a service does once, and what goes on when it has just started."""
LOOKS: Final = 300
"""Of the cheap endpoint in a round; the 99th percentile of so many is about the fourth worst."""
PAUSE: Final = 0.005


def shared_calls(encoder: Encoder) -> Iterator[Figure]:
    """Of one that is as dear as a shop's, such as ViT-B/32."""
    batching = BatchingEncoder(encoder, TOGETHER)
    texts = cycle(wordings(500))
    ours, bare = alternate(
        lambda: batching.encode_texts([next(texts)]), lambda: encoder.encode_texts([next(texts)]), ALONE, pause=PAUSE
    )
    added = [mine - statistics.median(bare) for mine in ours]
    yield Figure.of("search.batching.alone", "added to a text that is encoded alone", added, wanted=Wanted(within=1.0))
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        rates[0].append(throughput(batching))
        rates[1].append(throughput(encoder))
    yield Figure.of(
        "search.batching.many",
        f"texts of {CLIENTS} clients that share calls",
        rates[0],
        unit="1/s",
        kind="share",
        against="each with a call of its own",
        baseline=rates[1],
        wanted=Wanted(at_least=1.5),
    )


def throughput(encoder: Encoder) -> float:
    """Texts a second of CLIENTS threads that each wait for an answer before they ask again."""
    asked = wordings(CLIENTS * EACH)

    def client(texts: Sequence[str]) -> None:
        for text in texts:
            encoder.encode_texts([text])

    with ThreadPoolExecutor(CLIENTS) as clients:
        started = time.perf_counter()
        for _ in clients.map(client, [asked[at::CLIENTS] for at in range(CLIENTS)]):
            pass
        return len(asked) / (time.perf_counter() - started)


def figures(home: Path) -> Iterator[Figure]:
    """`home` as in `http.figures`. Raises as `served`, and StoreUnavailable where a client is not answered."""
    texts = cycle(wordings(QUESTIONS))
    idle, loaded = [], []
    with served(home) as url, closing(Client(url)) as client:
        for text in islice(texts, WARM):
            client.search({"text": text})
        for _ in range(ROUNDS):
            idle.append(_worst(client))
            with searching(url, texts):
                loaded.append(_worst(client))
    yield Figure.of(
        "search.loop.cheap",
        f"p99 of a cheap endpoint while {SEARCHING} clients search",
        loaded,
        against="the same while nobody does",
        baseline=idle,
        wanted=Wanted(at_most=10.0),
    )


@contextmanager
def searching(url: str, texts: Iterator[str]) -> Iterator[None]:
    """Others search meanwhile, each one question behind the other; they share `texts`, which have no end.

    Raises StoreUnavailable at the end where one of them was not answered, with what it was told.
    """
    ended = threading.Event()

    def search() -> None:
        answered = 0
        with closing(Client(url)) as client:
            while not ended.is_set():
                try:
                    client.search({"text": next(texts)})
                except StoreUnavailable as error:
                    raise StoreUnavailable(f"A client that had been answered {answered} times: {error}") from error
                answered += 1

    with ThreadPoolExecutor(SEARCHING) as others:
        asked = [others.submit(search) for _ in range(SEARCHING)]
        try:
            yield
        finally:
            ended.set()
    for one in asked:
        one.result()


def _worst(client: Client) -> float:
    """Milliseconds, 99th percentile."""
    spent = [milliseconds(lambda: client.get("/v1/health")) for _ in range(LOOKS)]
    return statistics.quantiles(spent, n=100, method="inclusive")[-1]
