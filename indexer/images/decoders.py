"""Decoding in children that can be killed: a hostile, hanging or crashing photo costs itself and nothing else.

Nothing of the children is imported before the first image: most searches have none.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from indexer.domain import ImageRef
from indexer.errors import FetchFailed, ImageRejected, UnavailableError
from indexer.images import sandbox
from indexer.images.child import Decoded, Refusal, decode_bytes, decode_file, find_regions
from indexer.images.fetch import Fetcher
from indexer.images.fit import Fit
from indexer.images.gate import Limits
from indexer.images.locate import address_inside, is_url, read_remote
from indexer.images.reasons import Reason, rejected
from indexer.images.regions import Box, Region
from indexer.places import Place, Remote
from indexer.settings import ImageSettings

if TYPE_CHECKING:
    from pebble import ProcessPool

__all__ = ["DecodeTask", "Decoded", "DecoderPool", "cores"]

_MEMORY = 2 << 30
"""Bytes that one child may allocate; 50 megapixels with alpha and 16 bits need about half."""
_TASKS_PER_CHILD = 10_000
"""A child is replaced after so many images, which bounds what a leaking decoder can hold."""
_AHEAD_PER_CHILD = 4
_FETCHES_PER_CHILD = 4
_ATTEMPTS = 3
"""Tries of one image when children die without having said which image they had."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class DecodeTask:
    """One image to decode: bytes at hand, an https URL, or a path within `root`, which only a path needs."""

    source: ImageRef | bytes
    fit: Fit
    root: Place | None = None
    key: object = None
    """The caller's own; carried along, never looked at."""
    box: Box | None = None
    """The part that is fitted and whose palette is taken; absent: the whole picture."""


class DecoderPool:
    """`with DecoderPool.of(settings.images) as decoders:`; children start with the first image.

    `seconds` is the time that decoding one image may take. Without `fetcher` URLs are rejected.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        seconds: float,
        children: int | None = None,
        fetcher: Fetcher | None = None,
        memory_bytes: int = _MEMORY,
    ) -> None:
        self._limits = limits
        self._seconds = seconds
        self._children = children or cores()
        self._memory_bytes = memory_bytes
        self._fetcher = fetcher
        self._fetches = ThreadPoolExecutor(_FETCHES_PER_CHILD * self._children, "fetch-image")
        self._lock = Lock()
        self._pool: ProcessPool | None = None

    @classmethod
    def of(cls, settings: ImageSettings) -> Self:
        return cls(
            Limits.of(settings),
            seconds=settings.decode_seconds,
            children=settings.decoders,
            fetcher=Fetcher(settings.max_bytes, settings.fetch_seconds),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what was begun, then end the children and the connections."""
        self._fetches.shutdown(cancel_futures=True)
        with self._lock:  # a first image may be having the children made
            pool = self._pool
        if pool is not None:
            pool.close()  # type: ignore[no-untyped-call]  # pebble
            pool.join()
        if self._fetcher is not None:
            self._fetcher.close()

    def start(self) -> None:
        """Have the children ready; else the first image waits until they are."""
        self._decoding(_Job(os.getpid, ()))()

    def map(self, tasks: Iterable[DecodeTask], ahead: int = 0) -> Iterator[tuple[DecodeTask, Decoded | ImageRejected]]:
        """Every task with its outcome, in order; `tasks` is read `ahead` images ahead of what was taken, or a few.

        Who takes a batch and then works on it has the next one decoded meanwhile when `ahead` is a batch.

        Raises `UnavailableError` only when no decoding child can be kept alive.
        """
        ahead = max(ahead, _AHEAD_PER_CHILD * self._children)
        begun: deque[tuple[DecodeTask, Callable[[], Decoded]]] = deque()
        for task in tasks:
            begun.append((task, self._begin(task)))
            if len(begun) > ahead:
                yield _ended(*begun.popleft())
        while begun:
            yield _ended(*begun.popleft())

    def decode(self, task: DecodeTask) -> Decoded:
        """Blocks; safe to call from several threads. Raises `ImageRejected`, or `FetchFailed` for a URL."""
        return self._begin(task)()

    def regions(self, content: bytes) -> tuple[Region, ...]:
        """Boxes worth searching by, the largest thing first (`suggest_regions`). Raises `ImageRejected`."""
        return self._decoding(_Job(find_regions, (content, self._limits)))()

    def _begin(self, task: DecodeTask) -> Callable[[], Decoded]:
        """Set the work going; the result waits for its end."""
        if isinstance(task.source, bytes):
            return self._decoding(self._job(task, task.source))
        uri = task.source.uri
        if uri.lower().startswith("https://"):
            return self._fetches.submit(self._fetch_and_decode, uri, task).result
        if isinstance(task.root, Remote) and not is_url(uri):
            return self._fetches.submit(self._read_and_decode, task.root, uri, task).result
        if task.root is None and not is_url(uri):
            raise ValueError(f"a path needs the root it is relative to: {uri!r}")
        root = str(task.root or "")
        return self._decoding(_Job(decode_file, (root, uri, task.fit, self._limits, task.box)))

    def _job(self, task: DecodeTask, content: bytes) -> "_Job[Decoded]":
        return _Job(decode_bytes, (content, task.fit, self._limits, task.box))

    def _fetch_and_decode(self, url: str, task: DecodeTask) -> Decoded:
        if self._fetcher is None:
            raise rejected(Reason.FETCH_FAILED, "URLs are not fetched here")
        return self._decoding(self._job(task, self._fetcher.fetch(url)))()

    def _read_and_decode(self, root: Remote, uri: str, task: DecodeTask) -> Decoded:
        """Read here rather than in a child, which has no driver and no credentials."""
        address = address_inside(root, uri)
        if address.scheme == "https":
            return self._fetch_and_decode(str(address), task)
        content = read_remote(address, self._limits.max_bytes)
        return self._decoding(self._job(task, content))()

    def _decoding(self, job: "_Job[Answer]") -> Callable[[], Answer]:
        return partial(self._outcome, job, *self._scheduled(job))

    def _scheduled(
        self, job: "_Job[Answer]", broken: "ProcessPool | None" = None
    ) -> "tuple[ProcessPool, Future[Answer | Refusal]]":
        """With the pool that has the job; `broken` is one that must not be used again."""
        with self._lock:
            if self._pool is not None and (self._pool is broken or not self._pool.active):
                self._pool.stop()  # type: ignore[no-untyped-call]  # pebble
                self._pool.join()
                self._pool = None
            self._pool = self._pool or self._new_pool()
            return self._pool, self._pool.schedule(job.function, args=job.arguments, timeout=self._seconds)

    def _outcome(self, job: "_Job[Answer]", pool: "ProcessPool", future: "Future[Answer | Refusal]") -> Answer:
        from concurrent.futures.process import BrokenProcessPool

        from pebble import ProcessExpired

        for _ in range(_ATTEMPTS):
            try:
                outcome = future.result()
            except BrokenProcessPool:
                pool, future = self._scheduled(job, broken=pool)
                continue
            except TimeoutError as error:
                detail = f"decoding took longer than {self._seconds:g} seconds"
                raise rejected(Reason.DECODE_TIMEOUT, detail) from error
            except ProcessExpired as error:
                raise rejected(Reason.DECODE_FAILED, f"the picture crashed its decoder ({error})") from error
            if isinstance(outcome, Refusal):
                raise ImageRejected(outcome.reason, outcome.detail)
            return outcome
        raise UnavailableError("decoding children die as soon as they start: is there memory left on this machine?")

    def _new_pool(self) -> "ProcessPool":
        """Spawned, never forked: the parent may hold threads of torch or a store."""
        from pebble import ProcessPool

        return ProcessPool(
            max_workers=self._children,
            max_tasks=_TASKS_PER_CHILD,
            initializer=sandbox.start,
            initargs=(self._memory_bytes, self._limits.max_pixels),
            context=get_context("spawn"),
        )


@dataclass(frozen=True, slots=True)
class _Job(Generic[Answer]):
    function: Callable[..., Answer | Refusal]
    arguments: tuple[object, ...]


def _ended(task: DecodeTask, wait: Callable[[], Decoded]) -> tuple[DecodeTask, Decoded | ImageRejected]:
    try:
        return task, wait()
    except ImageRejected as error:
        return task, error
    except FetchFailed as error:
        return task, rejected(Reason.FETCH_FAILED, str(error))


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
