"""Several encoders on one machine: a process for each device, each with its own decoding children.

Photos go to the processes as references and come back as outcomes, so that what passes through this one is small.
"""

import multiprocessing
import queue
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from indexer.builds.embedder import (
    COMMIT_BATCHES,
    TEXTS,
    Beat,
    Embedder,
    Equipment,
    Here,
    Looked,
    OpenEncoder,
    Photo,
    PhotoReader,
    chunks,
    encode_missing,
)
from indexer.builds.embeddings import Embeddings
from indexer.encoders import Encoder, devices_of, open_encoder
from indexer.errors import UnavailableError, VitrineError
from indexer.images.decoders import DecoderPool, cores
from indexer.places import Place
from indexer.settings import Settings

STARTS: Final = 2
"""Of one device's process: it is started again once."""
BEAT_SECONDS: Final = 1.0
PATIENCE: Final = 10.0
"""Seconds that a process has to end by itself."""


def open_embedder(encoder: Encoder, embeddings: Embeddings, settings: Settings) -> Embedder:
    """For the devices that the setting `encoder.device` names; a single one is used in this process."""
    devices = devices_of(settings.encoder.device)
    if len(devices) == 1:
        return Here(encoder, embeddings, settings)
    return Devices(Equipment.of(settings, encoder.spec.identity), devices)


@dataclass(frozen=True, slots=True)
class Work:
    """Photos or texts, never both."""

    photos: tuple[Photo, ...] = ()
    root: Place | None = None
    texts: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.photos) + len(self.texts)

    def behind(self, count: int) -> "Work":
        """Without its first items."""
        return Work(self.photos[count:], self.root, self.texts[count:])


class Devices:
    """Processes start when there is work for them, and stay until `close`.

    Each holds two portions of work at most, so that memory does not grow with the catalogue. One that dies is started
    again once, with what it had not answered.
    """

    def __init__(self, equipment: Equipment, devices: Sequence[str], open_encoder: OpenEncoder = open_encoder) -> None:
        """`open_encoder` must be importable by name; it is called in each process with its own device."""
        self._portion = equipment.encoder.batch_size * COMMIT_BATCHES
        self._seats = [_Seat(device, _share(equipment, device, len(devices)), open_encoder) for device in devices]

    def photos(self, photos: Iterable[Photo], root: Place, beat: Beat) -> Generator[Looked, None, None]:
        works = (Work(photos=some, root=root) for some in chunks(photos, self._portion))
        yield from self._spread(works, 2 * self._portion, beat)

    def texts(self, texts: Iterable[str], beat: Beat) -> Generator[int, None, None]:
        works = (Work(texts=some) for some in chunks(texts, TEXTS))
        for looked in self._spread(works, 2 * TEXTS, beat):
            yield looked.encoded

    def close(self) -> None:
        for seat in self._seats:
            seat.close()

    def _spread(self, works: Iterator[Work], most: int, beat: Beat) -> Iterator[Looked]:
        """No process has more than `most` items."""
        try:
            for work in works:
                while (seat := self._free(work.size, most)) is None:
                    yield from self._answers(beat)
                seat.give(work)
            while any(seat.held for seat in self._seats):
                yield from self._answers(beat)
        finally:
            for seat in self._seats:
                if seat.held:
                    seat.close()

    def _free(self, size: int, most: int) -> "_Seat | None":
        """The one with the least to do; a process is started only when those that run are at work."""
        free = [seat for seat in self._seats if seat.held + size <= most]
        return min(free, key=lambda seat: (seat.held, seat.pipe is None), default=None)

    def _answers(self, beat: Beat) -> Iterator[Looked]:
        seats = {seat.pipe: seat for seat in self._seats if seat.pipe is not None and seat.held}
        answering = wait(list(seats), timeout=BEAT_SECONDS)
        beat(0)
        for pipe, seat in seats.items():
            if pipe in answering:
                before = seat.held
                looked = seat.answer()
                beat(before - seat.held)
                if looked is not None:
                    yield looked


class _Seat:
    """One device's process and what it has to do."""

    def __init__(self, device: str, equipment: Equipment, open_encoder: OpenEncoder) -> None:
        self._device = device
        self._equipment = equipment
        self._open_encoder = open_encoder
        self._works: deque[Work] = deque()
        self._started: tuple[BaseProcess, Connection] | None = None
        self._starts = 0

    @property
    def held(self) -> int:
        """Items that are not answered."""
        return sum(work.size for work in self._works)

    @property
    def pipe(self) -> Connection | None:
        """Readable when there is an answer, or the process is dead; None while there is none."""
        return self._started[1] if self._started else None

    def give(self, work: Work) -> None:
        self._works.append(work)
        if self._started is None:
            self._start()
        else:
            self._send(work)

    def answer(self) -> Looked | None:
        """None when the process died and was started again. Raises UnavailableError, and what it met with."""
        if self._started is None:
            raise ValueError("nothing was given")
        process, pipe = self._started
        try:
            answer = pipe.recv()
        except (EOFError, OSError):
            process.join()
            self._restart(process.exitcode)
            return None
        if isinstance(answer, VitrineError):
            raise answer
        return self._done(*answer)

    def close(self) -> None:
        """What it was given is forgotten. It notices after a photo, or the batch that is being encoded."""
        if self._started is not None:
            process, pipe = self._started
            pipe.close()
            process.join(PATIENCE)
            process.kill()
            process.join()
        self._works.clear()
        self._started, self._starts = None, 0

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(theirs, self._equipment, self._open_encoder))
        process.start()
        theirs.close()
        self._started, self._starts = (process, ours), self._starts + 1
        for work in self._works:
            self._send(work)

    def _restart(self, exit_code: int | None) -> None:
        if self._starts >= STARTS:
            raise UnavailableError(
                f"The encoder's process on {self._device} died {STARTS} times (exit code {exit_code}): is there memory "
                "left on the device and the machine? What was finished is kept."
            )
        self._start()

    def _send(self, work: Work) -> None:
        """To a dead process is fine: its end is noticed when its answer is read."""
        if self._started is not None:
            with suppress(OSError):
                self._started[1].send(work)

    def _done(self, count: int, looked: Looked) -> Looked:
        """The oldest items are the first to be answered."""
        while count:
            work = self._works.popleft()
            if work.size > count:
                self._works.appendleft(work.behind(count))
            count -= min(work.size, count)
        return looked


def _share(equipment: Equipment, device: str, processes: int) -> Equipment:
    """The cores of this machine are divided between the processes."""
    each = max(1, cores() // processes)
    decoders = max(1, equipment.images.decoders // processes) if equipment.images.decoders else each
    threads = equipment.encoder.threads or (each if device == "cpu" else None)
    return equipment.model_copy(
        update={
            "encoder": equipment.encoder.model_copy(update={"device": device, "threads": threads}),
            "images": equipment.images.model_copy(update={"decoders": decoders}),
        }
    )


def _serve(pipe: Connection, equipment: Equipment, open_encoder: OpenEncoder) -> None:
    """What a device's process does, until its parent hangs up or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the parent decides
    inbox = _Inbox(pipe)
    try:
        encoder, embeddings = equipment.open_encoder(open_encoder), equipment.open_embeddings()
        with DecoderPool.of(equipment.images) as decoders:
            reader = PhotoReader(encoder, embeddings.images, decoders, equipment.encoder.batch_size)
            while True:
                work = inbox.next()
                if work.root is None:
                    encoded = encode_missing(work.texts, encoder, embeddings)
                    pipe.send((work.size, Looked((), encoded)))
                else:
                    for looked in reader.read(inbox.photos(work), work.root, inbox.check):
                        pipe.send((len(looked.outcomes), looked))
    except VitrineError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError):
        pass  # what was not answered is not asked for any more


class _Inbox:
    """Work is taken from the pipe as soon as it comes, so that the parent never waits to give it.

    Raises EOFError when the parent has hung up.
    """

    def __init__(self, pipe: Connection) -> None:
        self._works: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._over = threading.Event()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def next(self) -> Work:
        """Waits for it."""
        work = self._works.get()
        if work is None:
            raise EOFError
        return work

    def photos(self, work: Work) -> Iterator[Photo]:
        """Those of the work and of all that has come meanwhile: decoding need not pause between two portions."""
        yield from work.photos
        while not self._works.empty():
            yield from self.next().photos

    def check(self, _: int) -> None:
        if self._over.is_set():
            raise EOFError

    def _listen(self, pipe: Connection) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._works.put(pipe.recv())
        self._over.set()
        self._works.put(None)
