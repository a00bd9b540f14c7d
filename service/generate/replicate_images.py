"""Pictures by a model at Replicate, whatever it is: it is given a prompt and, where there is one, the reference.

What else its inputs are called differs from model to model, so that no size, seed, steps, guidance or strength is
sent: the seed only tells the pictures of one plan apart.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from indexer.domain import Pixels
from indexer.errors import FetchFailed, ImageRejected
from indexer.generate_settings import GeneratorName, ReplicateSettings
from indexer.images.fetch import Fetcher
from service.endpoint import UNBILLED, EndpointFailed, tried
from service.endpoint.predictions import Predictions
from service.generate.afar import Decode, png_of, prompt_of, seen
from service.generate.paying import Bill, Purse
from service.generate.seam import Generated, Provenance, Recipe, Request, Unsuited, Watch, pixels_hash

_SIZE: Final = (1024, 1024)
"""(width, height) that is noted down where there is no reference."""
_TRIES = 3
_DATA = re.compile(r"data:image/[\w.+-]{1,20};base64,", re.ASCII)


class ReplicateImages:
    """Thread-safe."""

    name: GeneratorName = "replicate"

    def __init__(
        self, predictions: Predictions, settings: ReplicateSettings, purse: Purse, fetcher: Fetcher, decode: Decode
    ) -> None:
        """The fetcher is closed with the generator."""
        self._predictions = predictions
        self._settings = settings
        self._purse = purse
        self._fetcher = fetcher
        self._decode = decode

    def plan(self, request: Request) -> Sequence[Recipe]:
        """As many as one request may cost. Raises Unsuited."""
        if request.pipeline is not None:
            raise Unsuited(f"the pipeline {request.pipeline} is none of Replicate's")
        if request.mask is not None:
            raise Unsuited("models at Replicate are given no mask")
        dollars, most = self._settings.dollars, self._purse.most
        number = next((n for n in range(request.count, 0, -1) if n * dollars <= most), 0)
        if number == 0:
            raise Unsuited(f"a picture may cost ${dollars:g}, and budget.per_request is ${most:g}")
        recipe = self._recipe(request)
        return tuple(recipe.model_copy(update={"seed": seed}) for seed in request.seeds[:number])

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        """Each by a prediction of its own, a few at a time. Raises GenerationFailed, Cancelled."""
        if not recipes:
            return ()
        started = time.monotonic()
        watch.step(0, len(recipes))
        with self._purse.opened(self._settings.dollars * len(recipes), watch) as bill:
            work = self._drawn(self._inputs(request, recipes[0]), len(recipes), bill, watch)
            drawn = self._predictions.run(work, watch.until, watch.cancelled)
        made, seconds, dollars = datetime.now(UTC), time.monotonic() - started, bill.dollars / len(recipes)
        return tuple(
            Generated(pixels, Provenance(recipe=recipe, made=made, seconds=seconds, dollars=dollars))
            for recipe, pixels in zip(recipes, drawn, strict=True)
        )

    def close(self) -> None:
        self._predictions.close()
        self._fetcher.close()

    async def _drawn(self, inputs: dict[str, str], number: int, bill: Bill, watch: Watch) -> list[Pixels]:
        """All or none: where one fails the others are called off. Raises EndpointFailed."""
        bill.dollars = 0.0
        done: list[Pixels] = []

        async def one() -> Pixels:
            done.append(await self._one(inputs, bill, watch.until))
            watch.step(len(done), number)
            return done[-1]

        try:
            async with asyncio.TaskGroup() as group:
                pictures = [group.create_task(one()) for _ in range(number)]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [picture.result() for picture in pictures]

    async def _one(self, inputs: dict[str, str], bill: Bill, until: float) -> Pixels:
        """Billed from when it is asked for, unless nothing was begun. Raises EndpointFailed."""
        async with self._predictions.room:
            bill.dollars += self._settings.dollars
            try:
                begun = await self._predictions.begin(inputs, until)
            except EndpointFailed as failed:
                if failed.reason in UNBILLED:
                    bill.dollars -= self._settings.dollars
                raise
            output = await self._predictions.outcome(begun, until)
        file = await self._file(output, until)
        return await asyncio.to_thread(seen, self._decode, file)

    async def _file(self, output: str, until: float) -> bytes:
        """What lies at a public https address, or in a data URI. Raises EndpointFailed."""

        async def fetched() -> bytes:
            return await asyncio.to_thread(self._fetcher.fetch, output, until - time.monotonic())

        try:
            if data := _DATA.match(output):
                return base64.b64decode(output[data.end() :], validate=True)
            return await tried(fetched, until, (FetchFailed,), _TRIES)
        except (binascii.Error, ValueError):
            raise EndpointFailed("form", "the model's output is no base64", counts=False) from None
        except ImageRejected as error:
            raise EndpointFailed("form", f"the picture may not be fetched ({error.reason})", counts=False) from None
        except FetchFailed:
            raise EndpointFailed("cut", "the picture could not be fetched", counts=False) from None

    def _recipe(self, request: Request) -> Recipe:
        reference = request.reference
        return Recipe(
            generator=self.name,
            pipeline="predict" if reference is None else "edit",
            model=self._predictions.model.name,
            revision=self._predictions.model.version,
            instruction=request.instruction,
            prompt=prompt_of(request),
            size=_SIZE if reference is None else (reference.shape[1], reference.shape[0]),
            inputs={} if reference is None else {"reference": pixels_hash(reference)},
            options={
                "endpoint": self._predictions.host,
                "prompt input": self._settings.prompt,
                "image input": self._settings.image,
            },
        )

    def _inputs(self, request: Request, recipe: Recipe) -> dict[str, str]:
        inputs = {self._settings.prompt: recipe.prompt}
        if request.reference is not None:
            photo = base64.b64encode(png_of(request.reference)).decode()
            inputs[self._settings.image] = f"data:image/png;base64,{photo}"
        return inputs
