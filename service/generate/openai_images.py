"""Pictures by an endpoint that speaks OpenAI's images: a reference is edited, and without one a picture is drawn.

Such endpoints take no seed, steps, guidance or strength: the seed only tells the pictures of one plan apart.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from indexer.domain import Pixels
from indexer.generate_settings import GeneratorName, ImageEndpointSettings, Mode
from service.budget.picture_prices import PicturePrice, Quality
from service.budget.prices import cost
from service.endpoint import UNBILLED, EndpointFailed, Ordered, PictureEndpoint, Sent
from service.generate.afar import Decode, mask_png_of, png_of, prompt_of, seen, tamed
from service.generate.paying import Bill, Purse
from service.generate.seam import Generated, Provenance, Recipe, Request, Unsuited, Watch, pixels_hash

SIZES: Final = ((1024, 1024), (1024, 1536), (1536, 1024))
"""(width, height) that every GPT Image model draws."""
_QUALITY: Final[Mapping[Mode, Quality]] = {"draft": "low", "final": "medium"}


class OpenAiImages:
    """Thread-safe."""

    name: GeneratorName = "openai"

    def __init__(
        self,
        endpoint: PictureEndpoint,
        settings: ImageEndpointSettings,
        price: PicturePrice,
        purse: Purse,
        decode: Decode,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._price = price
        self._purse = purse
        self._decode = decode

    def plan(self, request: Request) -> Sequence[Recipe]:
        """As many as one request may cost. Raises Unsuited."""
        if request.pipeline is not None:
            raise Unsuited(f"the pipeline {request.pipeline} is none of the endpoint's")
        number = next((n for n in range(request.count, 0, -1) if self._estimate(request, n) <= self._purse.most), 0)
        if number == 0:
            dollars = self._estimate(request, 1)
            raise Unsuited(f"a picture may cost ${dollars:.3f}, and budget.per_request is ${self._purse.most:g}")
        recipe = self._recipe(request)
        return tuple(recipe.model_copy(update={"seed": seed}) for seed in request.seeds[:number])

    def make(self, request: Request, recipes: Sequence[Recipe], watch: Watch) -> Sequence[Generated]:
        """All by one call. Raises GenerationFailed, Cancelled."""
        if not recipes:
            return ()
        started = time.monotonic()
        watch.step(0, len(recipes))
        with self._purse.opened(self._estimate(request, len(recipes)), watch) as bill:
            work = self._drawn(self._ordered(request, recipes), bill, watch.until)
            drawn = self._endpoint.run(work, watch.until, watch.cancelled)
        watch.step(len(recipes), len(recipes))
        made, seconds, dollars = datetime.now(UTC), time.monotonic() - started, bill.dollars / len(recipes)
        return tuple(
            Generated(
                pixels,
                Provenance(recipe=recipe, made=made, seconds=seconds, dollars=dollars, revised=tamed(sent.revised)),
            )
            for recipe, (sent, pixels) in zip(recipes, drawn, strict=True)
        )

    def close(self) -> None:
        self._endpoint.close()

    async def _drawn(self, ordered: Ordered, bill: Bill, until: float) -> list[tuple[Sent, Pixels]]:
        """Raises EndpointFailed."""
        try:
            delivery = await self._endpoint.draw(ordered, until)
        except EndpointFailed as failed:
            self._tell(bill, (0, 0) if failed.reason in UNBILLED else failed.spent)
            raise
        self._tell(bill, delivery.tokens)
        pixels = await asyncio.gather(*(asyncio.to_thread(seen, self._decode, sent.file) for sent in delivery.pictures))
        return list(zip(delivery.pictures, pixels, strict=True))

    def _tell(self, bill: Bill, tokens: tuple[int, int] | None) -> None:
        if tokens is not None:
            bill.dollars = cost(self._price.rate, *tokens)

    def _estimate(self, request: Request, number: int) -> float:
        """Dollars that so many pictures cost at most."""
        references = int(request.reference is not None) + int(request.mask is not None)
        text_bytes = len(prompt_of(request).encode(errors="replace"))
        return self._price.estimate(text_bytes, references, self._quality(request), number)

    def _quality(self, request: Request) -> Quality:
        asked = self._settings.quality
        return _QUALITY[request.mode] if asked == "auto" else asked

    def _recipe(self, request: Request) -> Recipe:
        shown = {"reference": request.reference, "mask": request.mask}
        return Recipe(
            generator=self.name,
            pipeline="generate" if request.reference is None else "edit",
            model=self._settings.model,
            instruction=request.instruction,
            prompt=prompt_of(request),
            size=_size(request),
            inputs={name: pixels_hash(pixels) for name, pixels in shown.items() if pixels is not None},
            options={"quality": self._quality(request), "endpoint": self._endpoint.host},
        )

    def _ordered(self, request: Request, recipes: Sequence[Recipe]) -> Ordered:
        return Ordered(
            recipes[0].prompt,
            len(recipes),
            recipes[0].size,
            self._quality(request),
            None if request.reference is None else png_of(request.reference),
            None if request.mask is None else mask_png_of(request.mask),
        )


def _size(request: Request) -> tuple[int, int]:
    """The nearest in shape to what is asked for, else to the reference, (width, height)."""
    height, width = (1, 1) if request.reference is None else request.reference.shape[:2]
    width, height = request.size or (width, height)
    return min(SIZES, key=lambda size: abs(math.log(size[0] / size[1] * height / width)))
