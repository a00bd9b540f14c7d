"""What a drawn picture costs: estimated from above before it is asked for, and told by its tokens afterwards.

Rates, in dollars per million tokens, are those of OpenAI's model pages as of November 2026. The dearer rate of photos
is counted for words too, which are a few hundred tokens at most. Tokens of a picture follow from the prices that the
same pages give a picture of 1024 × 1024, 1024 × 1536 or 1536 × 1024 pixels, the dearest of them rounded up; those of
GPT Image 2.5 are from others' measurements (low 196, medium 439, high 1,756).

Tokens of a reference are those of OpenAI's guide to vision for the first GPT Image: 65, and 129 for each of at most
two tiles; models that always look closely, as the second and later ones do, take 4,160 on top.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from indexer.settings import Price
from service.budget.prices import FREE, cost, is_own, name_in

Quality = Literal["low", "medium", "high"]

_BYTES_PER_TOKEN = 3
"""Of UTF-8, as for other endpoints."""
_GLANCE = 65 + 2 * 129
_CLOSE_LOOK = _GLANCE + 4_160


@dataclass(frozen=True, slots=True)
class PicturePrice:
    rate: Price
    """Its `image` are the tokens of one reference."""
    tokens: Mapping[Quality, int]
    """Of one picture that is drawn."""

    def estimate(self, text_bytes: int, references: int, quality: Quality, number: int) -> float:
        """Dollars that one request for so many pictures costs at most."""
        asked = math.ceil(text_bytes / _BYTES_PER_TOKEN) + references * self.rate.image
        return cost(self.rate, asked, number * self.tokens[quality])


_FIRST: Final[Mapping[Quality, int]] = {"low": 408, "medium": 1_584, "high": 6_240}
_MINI: Final[Mapping[Quality, int]] = {"low": 750, "medium": 1_875, "high": 6_500}
_SECOND: Final[Mapping[Quality, int]] = {"low": 200, "medium": 1_770, "high": 7_040}
_THIRD: Final[Mapping[Quality, int]] = {"low": 200, "medium": 440, "high": 1_760}
_LATER: Final = Price(input=8.00, output=30.00, image=_CLOSE_LOOK)

PICTURE_PRICES: Final[Mapping[str, PicturePrice]] = {
    "gpt-image-1": PicturePrice(Price(input=10.00, output=40.00, image=_GLANCE), _FIRST),
    "gpt-image-1-mini": PicturePrice(Price(input=2.50, output=8.00, image=_GLANCE), _MINI),
    "gpt-image-1.5": PicturePrice(Price(input=8.00, output=32.00, image=_GLANCE), _FIRST),
    "gpt-image-2": PicturePrice(_LATER, _SECOND),
    "gpt-image-2.5-flare": PicturePrice(_LATER, _THIRD),
    "gpt-image-2.5-sunburst": PicturePrice(_LATER, _THIRD),
}


def picture_price_of(model: str, base_url: str | None, overrides: Mapping[str, Price]) -> PicturePrice:
    """The table's, at the settings' own rates where they have some. A model that the table does not have is taken for
    the dearest; without rates of its own it is free on one's own machines.
    """
    known = name_in(PICTURE_PRICES, model)
    price = PICTURE_PRICES[known] if known else _dearest()
    if (own := name_in(overrides, model)) is not None:
        return PicturePrice(overrides[own], price.tokens)
    if known is None and base_url is not None and is_own(base_url):
        return PicturePrice(FREE, price.tokens)
    return price


def _dearest() -> PicturePrice:
    return max(PICTURE_PRICES.values(), key=lambda price: price.estimate(1_000, 1, "high", 1))
