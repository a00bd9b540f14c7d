"""Concurrent queries share encoder calls: whatever waits while one call runs goes into the next one together."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from math import isinf
from typing import Final, Protocol

from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder, EncoderSpec
from indexer.errors import Overloaded, TooLate
from service.deadline import Deadline

MOST_WAITING: Final = 256
"""Calls that wait at a time. Admission lets in far fewer; this bounds what comes by other ways."""
STAGE: Final = "encode"


class Told(Protocol):
    """Who counts calls of the encoder and what waits for one."""

    def batch(self, what: str, n: int) -> None: ...

    def queue(self, what: str, n: int) -> None: ...


@dataclass(eq=False)
class _Call:
    texts: Sequence[str] = ()
    images: Sequence[Pixels] = ()
    deadline: Deadline = field(default_factory=Deadline)
    answer: Future[Matrix] = field(default_factory=Future)

    def wanted(self) -> bool:
        """Whether somebody waits for the answer, who is told so otherwise; it can no longer be taken back then."""
        if not self.answer.set_running_or_notify_cancel():
            return False
        try:
            self.deadline.demand(STAGE)
        except TooLate as error:
            self.answer.set_exception(error)
            return False
        return True


class BatchingEncoder:
    """An Encoder in front of another one, with one thread that calls it. No timer: an idle encoder starts at once."""

    def __init__(self, inner: Encoder, max_batch: int, told: Told | None = None) -> None:
        self._inner = inner
        self._max_batch = max_batch
        self._told = told
        self._calls: queue.Queue[_Call] = queue.Queue(MOST_WAITING)
        threading.Thread(target=self._work, name="encoder", daemon=True).start()

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self.wait(_Call(images=images))

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self.wait(_Call(texts=texts))

    def until(self, deadline: Deadline) -> Encoder:
        return _Until(self, deadline)

    def wait(self, call: _Call) -> Matrix:
        """Raises TooLate for a call that nobody waits for any more, which is not encoded then, and Overloaded."""
        call.deadline.demand(STAGE)
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            raise Overloaded(
                f"{MOST_WAITING} queries wait for the encoder already; try again in a moment.", 1
            ) from None
        left = call.deadline.left()
        try:
            return call.answer.result(None if isinf(left) else left)
        except Late:
            call.answer.cancel()
            raise call.deadline.too_late(STAGE) from None

    def _work(self) -> None:
        while True:
            calls = self._waiting()
            if self._told is not None:
                self._told.queue("encoder", self._calls.qsize())
            self._answer("text", [call for call in calls if not call.images])
            self._answer("photo", [call for call in calls if call.images])

    def _waiting(self) -> list[_Call]:
        """Those that somebody still waits for, and none where nobody does."""
        calls = [self._calls.get()]
        while len(calls) < self._max_batch:
            try:
                calls.append(self._calls.get_nowait())
            except queue.Empty:
                break
        return [call for call in calls if call.wanted()]

    def _answer(self, what: str, calls: Sequence[_Call]) -> None:
        """An error of the encoder belongs to the callers, not to the thread."""
        if not calls:
            return
        try:
            texts = [text for call in calls for text in call.texts]
            images = [image for call in calls for image in call.images]
            if self._told is not None:
                self._told.batch(what, len(images or texts))
            rows = self._inner.encode_images(images) if images else self._inner.encode_texts(texts)
        except Exception as error:  # noqa: BLE001
            for call in calls:
                call.answer.set_exception(error)
            return
        start = 0
        for call in calls:
            end = start + len(call.images or call.texts)
            call.answer.set_result(rows[start:end])
            start = end


@dataclass(frozen=True)
class _Until:
    """The batching encoder as one request sees it."""

    batching: BatchingEncoder
    deadline: Deadline

    @property
    def spec(self) -> EncoderSpec:
        return self.batching.spec

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self.batching.wait(_Call(images=images, deadline=self.deadline))

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self.batching.wait(_Call(texts=texts, deadline=self.deadline))
