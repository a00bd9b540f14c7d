"""Concurrent queries share encoder calls: whatever waits while one call runs goes into the next one together."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from indexer.domain import Matrix, Pixels
from indexer.encoders import Encoder, EncoderSpec


@dataclass(eq=False)
class _Call:
    texts: Sequence[str] = ()
    images: Sequence[Pixels] = ()
    answer: Future[Matrix] = field(default_factory=Future)


class BatchingEncoder:
    """An Encoder in front of another one, with one thread that calls it. No timer: an idle encoder starts at once."""

    def __init__(self, inner: Encoder, max_batch: int) -> None:
        self._inner = inner
        self._max_batch = max_batch
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="encoder", daemon=True).start()

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._wait(_Call(images=images))

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        return self._wait(_Call(texts=texts))

    def _wait(self, call: _Call) -> Matrix:
        self._calls.put(call)
        return call.answer.result()

    def _work(self) -> None:
        while True:
            calls = self._waiting()
            self._answer([call for call in calls if not call.images])
            self._answer([call for call in calls if call.images])

    def _waiting(self) -> list[_Call]:
        calls = [self._calls.get()]
        while len(calls) < self._max_batch:
            try:
                calls.append(self._calls.get_nowait())
            except queue.Empty:
                break
        return calls

    def _answer(self, calls: Sequence[_Call]) -> None:
        """An error of the encoder belongs to the callers, not to the thread."""
        if not calls:
            return
        try:
            texts = [text for call in calls for text in call.texts]
            images = [image for call in calls for image in call.images]
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
