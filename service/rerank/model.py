"""A model behind an endpoint as the judge: one request a product, blind to the others, within a deadline and a budget.

What it says becomes marks and degrees; no text of its own leaves this package.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

from indexer.breaker import RESTING, Breaker
from indexer.domain import BuildManifest, Pixels, Product
from indexer.errors import CatalogueUnavailable, ImageRejected, UnavailableError
from indexer.images.fit import Fit
from indexer.settings import Price, RerankSettings
from service.budget.governor import Governor
from service.budget.prices import estimate
from service.endpoint import Asked, Endpoint, Part, Picture
from service.rerank.cache import VerdictCache
from service.rerank.calling import Tab, Till, Unanswered
from service.rerank.confidence import judgements_of
from service.rerank.pictures import jpeg_of
from service.rerank.prompting import JUDGE, answer_schema, options_of
from service.rerank.reading import READ, checklist_in, numbered, parts_schema, pointed_out, remembrance
from service.rerank.seam import Candidate, Case, Opinions, Reading, Usage
from service.rerank.sitting import Paper, Sitting, key_of
from service.rerank.verdicts import Checklist, Opinion

NO_PHOTO: Final = "their photos could not be had"
NO_START: Final = "the photo that was started from could not be had"
NO_ANSWER: Final = "the model gave no usable answer"

_FRAME_TOKENS: Final = 16
_CHECK_TOKENS: Final = 12
"""Of an answer, around and for each check: `"c1": "A", ` is seven or eight."""
_READING_TOKENS: Final = 400
_ENDING: Final = 0.015
"""Seconds that requests have, once they are late, to say so themselves; the endpoint's thread ends later."""
_BOOKS: Final = 4
"""Threads for what is read and written in the database, which photos that hang must not hold up."""

Done = TypeVar("Done")

_log = logging.getLogger(__name__)


class Photos(Protocol):
    """The products' own photos."""

    def of(self, build: BuildManifest, product: Product, image_id: str, fit: Fit, until: float | None = None) -> Pixels:
        """Raises ImageRejected, and UnavailableError when it does not come in time."""

    def hashes(self, build: BuildManifest, product_ids: Sequence[str]) -> Mapping[tuple[str, str], str]:
        """(product id, image id) → hash of the photo's file. Raises CatalogueUnavailable."""


class Model:
    """Thread-safe. The endpoint is its own."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: RerankSettings,
        governor: Governor,
        cache: VerdictCache,
        breaker: Breaker,
        photos: Photos,
        price: Price,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._cache = cache
        self._photos = photos
        self._till = Till(endpoint, governor, breaker, price)
        self._looking = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="judged-photo")
        self._books = ThreadPoolExecutor(_BOOKS, thread_name_prefix="judge-books")

    @property
    def name(self) -> str:
        return self._settings.model

    @property
    def fit(self) -> Fit:
        return Fit((self._settings.side, self._settings.side), "within")

    def close(self) -> None:
        """What runs is cancelled, and what was spent is written down; photos are not waited for."""
        self._endpoint.close()
        self._looking.shutdown(wait=False, cancel_futures=True)
        self._books.shutdown()

    def rerank(self, case: Case, candidates: Sequence[Candidate], until: float) -> Opinions:
        sitting = Sitting(case, candidates, until)
        if case.checklist and candidates and time.monotonic() < until:
            with suppress(TimeoutError):
                self._endpoint.run(self._judge(sitting), until)
        opinions = sitting.ended()
        if opinions.skipped:
            _log.warning("%s", "; ".join(opinions.skipped))
        return opinions

    def read(self, words: str, fields: Sequence[str], caller: str, until: float) -> Reading:
        """What the words ask for, by the catalogue's fields; empty where nothing comes of it in time."""
        tabs: list[Tab] = []
        if words.strip() and fields and time.monotonic() < until:
            with suppress(TimeoutError):
                return self._endpoint.run(self._read(words, fields, caller, until, tabs), until)
        return Reading(usage=tabs[0].usage if tabs else Usage())

    async def _judge(self, sitting: Sitting) -> None:
        papers = await self._booked(partial(self._recalled, sitting))
        if not papers:
            return
        if not self._till.allows():
            sitting.leave(len(papers), RESTING)
            return
        estimates = [self._estimate(sitting, paper) for paper in papers]
        sitting.tab = tab = await self._booked(partial(self._till.open, estimates, sitting.case.caller, sitting.until))
        sitting.leave(len(papers) - tab.granted, tab.refused)
        if tab.granted:
            try:
                await self._ask_all(sitting, tab, papers[: tab.granted])
            finally:
                kept = self._books.submit(self._keep, tab, sitting.fresh)
            await _awaited(kept, sitting.until)

    def _recalled(self, sitting: Sitting) -> list[Paper]:
        """Those that no verdict is remembered of; the others are judged with this."""
        case, candidates = sitting.case, sitting.candidates
        shown = [one.product.id for one in candidates]
        started = case.reference if case.view is None else None
        try:
            hashes = self._photos.hashes(case.manifest, [*shown, *([] if started is None else [started.id])])
        except CatalogueUnavailable as error:
            _log.warning("No verdict is remembered: %s", error)
            hashes = {}
        papers = sitting.papers(self._settings, hashes)
        known = self._cache.get({paper.key for paper in papers if paper.key})
        return [paper for paper in papers if not sitting.remembered(paper, known.get(paper.key))]

    async def _ask_all(self, sitting: Sitting, tab: Tab, papers: Sequence[Paper]) -> None:
        """Ends by the deadline; what was said by then is in the sitting."""
        try:
            started = await self._looked(partial(self._started_from, sitting))
        except (ImageRejected, UnavailableError):
            sitting.leave(len(papers), NO_START)
            return
        gate = asyncio.Semaphore(self._settings.concurrency)
        tasks = [asyncio.create_task(self._ask(sitting, tab, paper, started, gate)) for paper in papers]
        try:
            await asyncio.wait(tasks, timeout=max(0.0, sitting.until - time.monotonic()) + _ENDING)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(
        self, sitting: Sitting, tab: Tab, paper: Paper, started: Sequence[Part], gate: asyncio.Semaphore
    ) -> None:
        checklist = sitting.case.checklist
        try:
            async with gate:
                photo = await self._looked(partial(self._photo_of, sitting, paper))
                asked = Asked(
                    system=JUDGE,
                    parts=[*started, *photo, paper.text],
                    schema=answer_schema(checklist),
                    max_tokens=_most_tokens(checklist),
                    logprobs=self._settings.logprobs,
                )
                said = await tab.ask(asked, self._estimate(sitting, paper), sitting.until)
        except (ImageRejected, UnavailableError):
            sitting.leave(1, NO_PHOTO)
        except Unanswered as unanswered:
            if unanswered.reason is not None:
                sitting.leave(1, unanswered.reason)
        else:
            options = options_of(said.text, checklist)
            if options is None:
                sitting.leave(1, NO_ANSWER)
            else:
                sitting.judged(paper, Opinion(judgements_of(checklist, options, said)))

    def _started_from(self, sitting: Sitting) -> list[Part]:
        """The photo of the shopper, or of the product that was started from. Raises as `_photo_of`."""
        case = sitting.case
        if case.view is not None:
            return ["The shopper's photo:", self._picture(case.view)]
        if case.reference is None or not case.reference.images:
            return []
        first = case.reference.images[0].image_id
        view = self._photos.of(case.manifest, case.reference, first, self.fit, sitting.until)
        return ["The shopper's photo:", self._picture(view)]

    def _photo_of(self, sitting: Sitting, paper: Paper) -> list[Part]:
        """Raises ImageRejected, and UnavailableError where it does not come in time."""
        candidate = sitting.candidates[paper.place]
        if not candidate.image_id:
            return ["The product has no photo."]
        manifest = sitting.case.manifest
        pixels = self._photos.of(manifest, candidate.product, candidate.image_id, self.fit, sitting.until)
        return ["The product's photo:", self._picture(pixels)]

    def _picture(self, pixels: Pixels) -> Picture:
        return Picture(jpeg_of(pixels), self._settings.detail)

    def _estimate(self, sitting: Sitting, paper: Paper) -> float:
        checklist, settings = sitting.case.checklist, self._settings
        size = len(JUDGE) + len(str(answer_schema(checklist))) + len(paper.text.encode())
        tokens = _most_tokens(checklist)
        return estimate(self._till.price, size, paper.photos, settings.detail, tokens, settings.side)

    def _keep(self, tab: Tab, fresh: Mapping[str, str]) -> None:
        tab.settle()
        self._cache.put(fresh)

    async def _read(self, words: str, fields: Sequence[str], caller: str, until: float, tabs: list[Tab]) -> Reading:
        """What it costs is in `tabs` from then on, also where this does not come to its end."""
        text, schema = numbered(words), parts_schema(fields)
        key = key_of("read", self._settings, READ, text, schema)
        known = (await self._booked(partial(self._cache.get, [key]))).get(key)
        if known is not None:
            return Reading(checklist_in(known) or ())
        if not self._till.allows():
            return Reading()
        size = len(READ) + len(text.encode()) + len(str(schema))
        dollars = estimate(self._till.price, size, 0, "low", _READING_TOKENS)
        tab = await self._booked(partial(self._till.open, [dollars], caller, until))
        if not tab.granted:
            return Reading()
        tabs.append(tab)
        fresh: dict[str, str] = {}
        try:
            said = await tab.ask(Asked(READ, [text], schema, _READING_TOKENS), dollars, until)
            read = pointed_out(said.text, words, fields)
            if read is not None:
                fresh[key] = remembrance(read)
        except Unanswered as unanswered:
            _log.warning("What the words ask for was not read: %s", unanswered.reason or "not in time")
            return Reading(usage=tab.usage)
        finally:
            kept = self._books.submit(self._keep, tab, fresh)
        await _awaited(kept, until)
        return Reading(read or (), tab.usage)

    async def _booked(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._books, work)

    async def _looked(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._looking, work)


def _most_tokens(checklist: Checklist) -> int:
    return _FRAME_TOKENS + _CHECK_TOKENS * len(checklist)


async def _awaited(work: "Future[None]", until: float) -> None:
    """Until its end, or the deadline, which does not end it."""
    await asyncio.wait([asyncio.wrap_future(work)], timeout=max(0.0, until - time.monotonic()))
