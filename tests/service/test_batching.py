import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from indexer.domain import Matrix, Pixels
from indexer.encoders import EncoderSpec
from indexer.errors import Overloaded, TooLate
from service.batching import MOST_WAITING, BatchingEncoder
from service.deadline import Deadline
from tests.fakes import FakeEncoder
from tests.service.worlds import picture

PATIENCE = 10.0


class GatedEncoder:
    """Calls wait at a gate; what each call was given is written down."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.calls: list[tuple[str, int]] = []
        self.failure: Exception | None = None
        self._inner = FakeEncoder()

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self._enter("texts", len(texts))
        return self._inner.encode_texts(texts)

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        self._enter("images", len(images))
        return self._inner.encode_images(images)

    def _enter(self, kind: str, size: int) -> None:
        self.calls.append((kind, size))
        self.entered.release()
        assert self.gate.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def inner() -> GatedEncoder:
    return GatedEncoder()


@pytest.fixture
def threads(inner: GatedEncoder) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool
        inner.gate.set()


def waiting_behind_one(
    inner: GatedEncoder, encoder: BatchingEncoder, threads: ThreadPoolExecutor, calls: Sequence[Callable[[], Matrix]]
) -> list["Future[Matrix]"]:
    """The calls are queued while the encoder is busy with another one."""
    threads.submit(encoder.encode_texts, ["the first"])
    assert inner.entered.acquire(timeout=PATIENCE)
    futures = [threads.submit(call) for call in calls]
    wait_until(lambda: encoder._calls.qsize() == len(calls))  # the only way to know that a caller waits
    return futures


def wait_until(so: Callable[[], bool]) -> None:
    never = threading.Event()
    for _ in range(int(PATIENCE / 0.001)):
        if so():
            return
        never.wait(0.001)
    raise AssertionError("it did not come to that")


def texts(encoder: BatchingEncoder, *words: str) -> Callable[[], Matrix]:
    return lambda: encoder.encode_texts(words)


def test_what_waits_goes_into_one_call_and_everyone_gets_their_own(
    inner: GatedEncoder, threads: ThreadPoolExecutor
) -> None:
    encoder = BatchingEncoder(inner, 32)
    asked = [[f"word {n}", f"other {n}"][: 1 + n % 2] for n in range(10)]
    futures = waiting_behind_one(inner, encoder, threads, [texts(encoder, *words) for words in asked])
    inner.gate.set()
    expected = FakeEncoder()
    for words, future in zip(asked, futures, strict=True):
        assert np.array_equal(future.result(PATIENCE), expected.encode_texts(words))
    assert inner.calls == [("texts", 1), ("texts", 15)]


def test_photos_and_words_that_wait_together_are_two_calls(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    encoder = BatchingEncoder(inner, 32)
    red, blue = picture("red"), picture("blue")
    futures = waiting_behind_one(
        inner,
        encoder,
        threads,
        [lambda: encoder.encode_images([red]), texts(encoder, "mug"), lambda: encoder.encode_images([blue, red])],
    )
    inner.gate.set()
    expected = FakeEncoder()
    assert np.array_equal(futures[0].result(PATIENCE), expected.encode_images([red]))
    assert np.array_equal(futures[1].result(PATIENCE), expected.encode_texts(["mug"]))
    assert np.array_equal(futures[2].result(PATIENCE), expected.encode_images([blue, red]))
    assert sorted(inner.calls[1:]) == [("images", 3), ("texts", 1)]


def test_no_more_callers_share_a_call_than_the_limit(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    encoder = BatchingEncoder(inner, 4)
    futures = waiting_behind_one(inner, encoder, threads, [texts(encoder, f"word {n}") for n in range(10)])
    inner.gate.set()
    for future in futures:
        future.result(PATIENCE)
    assert inner.calls == [("texts", 1), ("texts", 4), ("texts", 4), ("texts", 2)]


def test_an_idle_encoder_starts_at_once(inner: GatedEncoder) -> None:
    inner.gate.set()
    encoder = BatchingEncoder(inner, 32)
    for _ in range(3):
        encoder.encode_texts(["mug"])
    assert inner.calls == [("texts", 1)] * 3


def test_an_error_reaches_all_who_shared_the_call_and_nobody_else(
    inner: GatedEncoder, threads: ThreadPoolExecutor
) -> None:
    encoder = BatchingEncoder(inner, 32)
    futures = waiting_behind_one(inner, encoder, threads, [texts(encoder, "a"), texts(encoder, "b")])
    inner.failure = ValueError("out of memory")
    inner.gate.set()
    for future in futures:
        with pytest.raises(ValueError, match="out of memory"):
            future.result(PATIENCE)
    inner.failure = None
    assert encoder.encode_texts(["c"]).shape == (1, inner.spec.dim)


def test_nothing_to_encode_is_no_row(inner: GatedEncoder) -> None:
    inner.gate.set()
    encoder = BatchingEncoder(inner, 32)
    assert encoder.encode_texts([]).shape == encoder.encode_images([]).shape == (0, inner.spec.dim)


def test_it_is_the_encoder_it_stands_before(inner: GatedEncoder) -> None:
    assert BatchingEncoder(inner, 32).spec == inner.spec


def test_what_nobody_waits_for_any_more_is_not_encoded(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    encoder, gone = BatchingEncoder(inner, 32), Deadline()
    calls = [lambda: encoder.until(gone).encode_texts(["of one who goes"]), texts(encoder, "of one who stays")]
    futures = waiting_behind_one(inner, encoder, threads, calls)
    gone.give_up()
    inner.gate.set()
    with pytest.raises(TooLate, match="has gone"):
        futures[0].result(PATIENCE)
    assert futures[1].result(PATIENCE).shape == (1, inner.spec.dim)
    assert inner.calls == [("texts", 1), ("texts", 1)]


def test_a_caller_waits_no_longer_than_its_deadline(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    encoder = BatchingEncoder(inner, 32)
    threads.submit(encoder.encode_texts, ["the encoder hangs"])
    assert inner.entered.acquire(timeout=PATIENCE)
    with pytest.raises(TooLate, match=r"0.05 s"):
        encoder.until(Deadline(0.05)).encode_images([picture("red")])
    inner.gate.set()
    encoder.encode_texts(["after it"])
    assert ("images", 1) not in inner.calls


def test_the_queue_has_an_end(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    encoder = BatchingEncoder(inner, 32)
    threads.submit(encoder.encode_texts, ["the first"])
    assert inner.entered.acquire(timeout=PATIENCE)
    with ThreadPoolExecutor(MOST_WAITING) as crowd:
        for n in range(MOST_WAITING):
            crowd.submit(encoder.encode_texts, [f"word {n}"])
        wait_until(encoder._calls.full)
        with pytest.raises(Overloaded):
            encoder.encode_texts(["one too many"])
        inner.gate.set()


def test_batches_and_the_queue_are_counted(inner: GatedEncoder, threads: ThreadPoolExecutor) -> None:
    told: list[tuple[str, str, int]] = []

    class Counting:
        def batch(self, what: str, n: int) -> None:
            told.append(("batch", what, n))

        def queue(self, what: str, n: int) -> None:
            told.append(("queue", what, n))

    encoder = BatchingEncoder(inner, 2, Counting())
    words = [texts(encoder, "a"), texts(encoder, "b", "c"), texts(encoder, "d")]
    futures = waiting_behind_one(inner, encoder, threads, words)
    inner.gate.set()
    for future in futures:
        future.result(PATIENCE)
    assert [n for kind, what, n in told if (kind, what) == ("batch", "text")] == [1, 3, 1]
    assert [n for kind, what, n in told if (kind, what) == ("queue", "encoder")] == [0, 1, 0]
