"""Questions over the hits of a search, answered by a model from their texts and photos: looked up, then told."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from queue import SimpleQueue
from threading import BoundedSemaphore
from threading import Event as Flag
from typing import Final, Protocol

from pydantic import ValidationError

from indexer.catalog.builds import BuildRepository
from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.domain import BuildManifest, Frozen, Product
from indexer.errors import ImageRejected, NoEndpoint, StoreMismatch, UnavailableError
from indexer.images.fit import Fit
from indexer.settings import RerankSettings
from service.ask.documents import MAX_ASKED, AskedHit, AskRequest, End, Event, Hits, Sentence
from service.ask.hearing import Hearing, price_at_most
from service.ask.prompting import TASK, VERSION, prompt, source_of
from service.ask.reading import AnswerReader, Source
from service.deadline import Deadline
from service.endpoint import Asked, Picture
from service.photos import CataloguePhotos
from service.request import SearchRequest
from service.rerank.cache import VerdictCache
from service.rerank.calling import Till
from service.rerank.pictures import jpeg_of
from service.rerank.seam import Usage
from service.rerank.sitting import key_of
from service.search.answer import Answer, Result
from service.search.verification import Verification

SECONDS: Final = 20.0
PHOTO_SECONDS: Final = 5.0
"""How long photos are waited for; a question is asked without those that come later."""
NOTHING_USED: Final = Usage()
AT_ONCE: Final = 16
"""Questions that are answered at the same time: fewer than a service has threads, which searches need too."""


class Search(Protocol):
    def __call__(self, request: SearchRequest, *, caller: str, deadline: Deadline | None) -> Answer: ...


@dataclass(frozen=True)
class Speaker:
    """The model that answers, what is remembered of it, and the settings that it has in common with verification."""

    till: Till
    cache: VerdictCache
    settings: RerankSettings


def _meant(answer: Answer) -> Sequence[Result]:
    """The hits that are not contradicted, or all where all are: "red or blue?" is no wish."""
    left = [one for one in answer.results if one.verdict is None or not one.verdict.contradicted]
    return left or answer.results


class _Remembered(Frozen):
    """What was made of a model's answer, as the cache keeps it."""

    sentences: tuple[Sentence, ...]
    dropped: int


@dataclass(frozen=True, eq=False)
class _Matter:
    """What a question is about. `photos` are ids, '' for a product without one; `key` is that of the remembered answer,
    '' where a photo is not known by its contents."""

    question: str
    build: BuildManifest
    products: Sequence[Product]
    sources: Sequence[Source]
    photos: Sequence[str]
    key: str
    verification: Verification
    degraded: tuple[str, ...]
    until: float

    def end(self, *, unknown: bool, dropped: int = 0, trouble: Sequence[str] = (), used: Usage = NOTHING_USED) -> End:
        spent = self.verification
        return End(
            unknown=unknown,
            dropped=dropped,
            degraded=(*self.degraded, *(f"answer: {one}" for one in trouble)),
            calls=spent.calls + used.calls,
            cached=spent.cached + used.cached,
            tokens_in=spent.tokens_in + used.tokens_in,
            tokens_out=spent.tokens_out + used.tokens_out,
            dollars=round(spent.dollars + used.dollars, 6),
        )


class Asking:
    """Thread-safe. The database, photos and speaker are the caller's to close, after this."""

    def __init__(
        self,
        search: Search,
        database: Database,
        photos: CataloguePhotos,
        speaker: Speaker | None,
        counted: Callable[[Usage], None] | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """Without a `speaker` nothing can be asked. `counted` is called, from any thread, with what each answer took,
        beside its search; `seconds` are an answer's, from the end of its search."""
        self._counted = counted
        self._seconds = seconds
        self._search = search
        self._database = database
        self._photos = photos
        self._speaker = speaker
        self._places = BoundedSemaphore(AT_ONCE)
        self._answering = ThreadPoolExecutor(AT_ONCE, "answer")
        self._looking = ThreadPoolExecutor(MAX_ASKED, "asked-photo")

    def ask(self, request: AskRequest, caller: str = "", deadline: Deadline | None = None) -> Generator[Event]:
        """Hits, sentences as they come, and the end. Who stops listening stops the answer; the `deadline` is that of
        its search.

        Raises NoEndpoint and whatever the search raises before there is anything to tell, and nothing afterwards.
        """
        if self._speaker is None:
            raise NoEndpoint(
                "No endpoint is there to answer questions. Set rerank.base_url (VITRINE_RERANK__BASE_URL) to one that "
                "speaks OpenAI's chat completions, or rerank.api_key for OpenAI's own."
            )
        answer = self._search(request.search(), caller=caller, deadline=deadline)
        return self._events(self._matter(request, answer, self._speaker), self._speaker, caller)

    def close(self) -> None:
        """Waits for no answer."""
        self._answering.shutdown(wait=False, cancel_futures=True)
        self._looking.shutdown(wait=False, cancel_futures=True)

    def _matter(self, request: AskRequest, answer: Answer, speaker: Speaker) -> _Matter:
        question, results = request.question, _meant(answer)[: request.top_k]
        shown = {one.id: "" if one.image is None else one.image.id for one in results}
        with self._database.session() as session:
            build = BuildRepository(session).manifest(answer.build)
            if build is None:
                raise StoreMismatch(f"Build {answer.build} has no manifest; build the catalogue again.")
            found = ProductRepository(session).get_many(build.catalog, list(shown), generation=build.generation)
        hashes = self._photos.hashes(build, list(found))
        if any(shown.values()):
            self._photos.start()
        sources = [source_of(product, question) for product in found.values()]
        content = [(one.id, one.text, hashes.get((one.id, shown[one.id])) if shown[one.id] else "") for one in sources]
        known = all(photo is not None for _, _, photo in content)
        return _Matter(
            question=question,
            build=build,
            products=list(found.values()),
            sources=sources,
            photos=[shown[one.id] for one in sources],
            key=key_of("ask", speaker.settings, VERSION, TASK, question, content) if known else "",
            verification=answer.verification or Verification(by=(), first_stage=()),
            degraded=tuple(answer.degraded),
            until=time.monotonic() + self._seconds,
        )

    def _events(self, matter: _Matter, speaker: Speaker, caller: str) -> Generator[Event]:
        hits = tuple(AskedHit(id=one.id, title=one.title) for one in matter.products)
        yield Hits(hits=hits, generated_by=speaker.settings.model)
        remembered = _remembered(matter, speaker.cache) if hits else _Remembered(sentences=(), dropped=0)
        if remembered is None:
            yield from self._answer(matter, speaker, caller)
            return
        yield from remembered.sentences
        used = Usage(cached=1 if hits else 0)
        yield matter.end(unknown=not remembered.sentences, dropped=remembered.dropped, used=used)

    def _answer(self, matter: _Matter, speaker: Speaker, caller: str) -> Iterator[Sentence | End]:
        """Sentences go through a queue, so that money is settled however slowly, or no longer, they are listened to."""
        if not self._places.acquire(blocking=False):
            yield matter.end(unknown=False, trouble=["too many questions at once; ask again in a while"])
            return
        told: SimpleQueue[Sentence | None] = SimpleQueue()
        stopped = Flag()

        def ended(_: object) -> None:
            self._places.release()
            told.put(None)

        answering = self._answering.submit(copy_context().run, self._speak, matter, speaker, caller, told, stopped)
        answering.add_done_callback(ended)
        try:
            yield from iter(told.get, None)
        finally:
            stopped.set()
        yield answering.result()

    def _speak(
        self, matter: _Matter, speaker: Speaker, caller: str, told: "SimpleQueue[Sentence | None]", stopped: Flag
    ) -> End:
        sentences: list[Sentence] = []

        def say(sentence: Sentence) -> None:
            sentences.append(sentence)
            told.put(sentence)

        hearing = Hearing(AnswerReader(matter.question, matter.sources), say, stopped)
        unseen = [Picture(b"") if image_id else None for image_id in matter.photos]
        dollars = price_at_most(prompt(matter.question, matter.sources, unseen), speaker.till.price, speaker.settings)
        missing = 0

        def seen() -> Asked:
            nonlocal missing
            photos = self._pictures(matter, speaker.settings)
            missing = photos.count(None) - unseen.count(None)
            return prompt(matter.question, matter.sources, photos)

        hearing.hear(speaker.till, seen, dollars, caller, matter.until)
        if self._counted is not None:
            self._counted(hearing.used)
        trouble = [f"{missing} photos could not be had"] if missing else []
        trouble += [hearing.trouble] if hearing.trouble else []
        dropped = hearing.reader.dropped
        if matter.key and not trouble and not stopped.is_set():
            kept = _Remembered(sentences=tuple(sentences), dropped=dropped)
            speaker.cache.put({matter.key: kept.model_dump_json()})
        unknown = not sentences and not hearing.trouble
        return matter.end(unknown=unknown, dropped=dropped, trouble=trouble, used=hearing.used)

    def _pictures(self, matter: _Matter, settings: RerankSettings) -> list[Picture | None]:
        """None where there is no photo, or it could not be had in time."""
        fit = Fit((settings.side, settings.side), "within")
        until = min(matter.until, time.monotonic() + PHOTO_SECONDS)

        def picture(product: Product, image_id: str) -> Picture | None:
            if not image_id:
                return None
            try:
                return Picture(jpeg_of(self._photos.of(matter.build, product, image_id, fit, until)), settings.detail)
            except (ImageRejected, UnavailableError):
                return None

        return list(self._looking.map(picture, matter.products, matter.photos))


def _remembered(matter: _Matter, cache: VerdictCache) -> _Remembered | None:
    if not matter.key:
        return None
    kept = cache.get([matter.key]).get(matter.key)
    try:
        found = _Remembered.model_validate_json(kept or "")
    except ValidationError:
        return None
    hits = {source.id for source in matter.sources}
    return found if all(hits.issuperset(sentence.products) for sentence in found.sentences) else None
