"""Where pictures of what is wanted come from: the cache, or the first generator whose picture fits."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Final

from indexer.errors import InputError, UnknownPicture
from indexer.generate_settings import GenerateSettings
from service.generate.cache import ImageCache
from service.generate.judging import Judged, Jury, judge
from service.generate.router import Timings, order
from service.generate.seam import (
    Cancelled,
    Generated,
    GenerationFailed,
    ImageGenerator,
    Recipe,
    Request,
    Unsuited,
    Watch,
)

_LOOK: Final = 0.1
"""Seconds between two looks whether somebody who waits still wants the picture."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Drawing:
    """`pictures`: those that fit, the best first, then those that do not; `skipped` says who gave none that fits, and
    why, in the order in which they were asked."""

    pictures: tuple[Judged, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def best(self) -> Judged | None:
        """What may be searched by."""
        return next((one for one in self.pictures if one.scores.fit), None)


class Studio:
    """Thread-safe; equal pictures that several ask for at once are drawn once. Closes its generators with itself."""

    def __init__(self, generators: Sequence[ImageGenerator], cache: ImageCache, settings: GenerateSettings) -> None:
        self._generators = tuple(generators)
        self._cache = cache
        self._settings = settings
        self._timings = Timings()
        self._desk = _Desk()

    def draw(self, request: Request, jury: Jury, watch: Watch) -> Drawing:
        """Whatever fails on the way is in `skipped`. Raises Cancelled, InputError for what no generator would draw, and
        what the jury's encoder raises."""
        asked, nobody = order(request, self._generators, self._settings.diffusion)
        skipped = [nobody] if nobody else []
        unfit: tuple[Judged, ...] = ()
        for generator in asked:
            if watch.cancelled():
                raise Cancelled
            try:
                drawn, cached = self._drawn(generator, request, watch)
            except (Unsuited, GenerationFailed) as error:
                skipped.append(f"{generator.name}: {str(error).removeprefix(f'{generator.name}: ').rstrip('.')}")
                continue
            judged = judge(drawn, jury, request.reference, cached, request.mask)
            if judged[0].scores.fit:
                return Drawing((*judged, *unfit), tuple(skipped))
            unfit += judged
            skipped.append(f"{generator.name}: {judged[0].scores.why}")
        return Drawing(unfit, tuple(skipped))

    def kept(self, picture_id: str) -> Generated:
        """Raises UnknownPicture."""
        found = self._cache.get(picture_id)
        if found is None:
            raise UnknownPicture(f"There is no picture {picture_id[:64]!r}, or no longer; have it drawn again.")
        return found

    def close(self) -> None:
        for generator in self._generators:
            generator.close()
        self._cache.close()

    def _drawn(
        self, generator: ImageGenerator, request: Request, watch: Watch
    ) -> tuple[Sequence[Generated], frozenset[str]]:
        """The plan's pictures, at least one, and the ids of those that were there already.

        Raises Unsuited, GenerationFailed, Cancelled, InputError.
        """
        with _foreseen(generator):
            recipes = {recipe.id: recipe for recipe in generator.plan(request)}
        found = self._found(recipes)
        if len(found) == len(recipes):
            return list(found.values()), frozenset(found)
        with self._desk.alone(frozenset(recipes), watch) as pictures:
            pictures.update(self._found(recipes.keys() - pictures.keys()))
            found = dict(pictures)
            missing = [recipe for name, recipe in recipes.items() if name not in found]
            made = self._made(generator, request, missing, watch) if missing else ()
            pictures.update({picture.id: picture for picture in made})
        return [*found.values(), *made], frozenset(found)

    def _found(self, names: Iterable[str]) -> dict[str, Generated]:
        looked_up = {name: self._cache.get(name) for name in names}
        return {name: picture for name, picture in looked_up.items() if picture is not None}

    def _made(
        self, generator: ImageGenerator, request: Request, recipes: Sequence[Recipe], watch: Watch
    ) -> Sequence[Generated]:
        begun = time.monotonic()
        left, expected = watch.until - begun, self._timings.expected(recipes, request.mode)
        if left <= 0:
            raise GenerationFailed("the time was over before it began")
        if expected > left:
            raise GenerationFailed(f"it took {expected:.1f} s of late, and {left:.1f} s are left")
        try:
            with _foreseen(generator):
                made = generator.make(request, recipes, watch)
        except GenerationFailed as failure:
            if time.monotonic() >= watch.until and failure.waited < left:
                self._timings.took(recipes, request.mode, left - failure.waited)
            raise
        drawing = sum(picture.provenance.seconds for picture in made)  # less than it took where it had to wait
        self._timings.took(recipes, request.mode, min(drawing, time.monotonic() - begun))
        for picture in made:
            self._cache.put(picture)
        return made


@contextmanager
def _foreseen(generator: ImageGenerator) -> Iterator[None]:
    """What a generator should not raise counts as its failure: pictures are an extra, and another may draw them."""
    try:
        yield
    except (Unsuited, GenerationFailed, Cancelled, InputError):
        raise
    except Exception as error:
        _log.exception("The generator %s failed in a way that nobody foresaw.", generator.name)
        raise GenerationFailed("it failed; the log says why") from error


@dataclass(frozen=True, eq=False)
class _Waiting:
    names: frozenset[str]
    pictures: dict[str, Generated] = field(default_factory=dict)
    """Those of them that there are by now."""

    @property
    def missing(self) -> frozenset[str]:
        return self.names - self.pictures.keys()


class _Desk:
    """The ids of recipes that are being drawn, and those who wait for them."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._waiting: list[_Waiting] = []
        self._changed = Condition()

    @contextmanager
    def alone(self, names: frozenset[str], watch: Watch) -> Iterator[dict[str, Generated]]:
        """Waits until nobody else draws one of them, and gives those that were drawn meanwhile; what is added is handed
        to those who wait for it, whether it can be kept or not.

        Raises Cancelled, GenerationFailed when time is over first.
        """
        asked = self._waited(names, watch)
        mine = asked.missing
        try:
            yield asked.pictures
        finally:
            with self._changed:
                self._busy -= mine
                for other in self._waiting:
                    other.pictures.update({name: asked.pictures[name] for name in other.names & asked.pictures.keys()})
                self._changed.notify_all()

    def _waited(self, names: frozenset[str], watch: Watch) -> _Waiting:
        """What is still missing is busy from now on."""
        asked = _Waiting(names)
        with self._changed:
            self._waiting.append(asked)
            try:
                while self._busy & asked.missing:
                    if watch.cancelled():
                        raise Cancelled
                    left = watch.until - time.monotonic()
                    if left <= 0:
                        raise GenerationFailed("the same picture is being drawn for somebody else, and time was over")
                    self._changed.wait(min(_LOOK, left))
                self._busy |= asked.missing
            finally:
                self._waiting.remove(asked)
        return asked
