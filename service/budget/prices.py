"""What a call to an endpoint costs: estimated from above before it is made, and told by its tokens afterwards.

Prices are those of the vendors' lists for single, uncached requests (OpenAI's and Google's API pricing pages as of the
first half of 2026). Tokens of a photo are those of OpenAI's and Google's guides to images, for a photo of at most
768 × 768 pixels:

- GPT-4o, 85 at low detail, else 85 and 170 for each tile of 512 × 512 pixels; GPT-4o mini 2,833 and 5,667, which makes
  its photos as dear as GPT-4o's; GPT-5 70 and 140; o3 75 and 150.
- the smaller GPT-4.1, GPT-5 and o4-mini, by patches of 32 × 32 pixels, 576 for such a photo, times 1.62 (mini), 2.46
  (nano) or 1.72 (o4-mini), whatever the detail; GPT-4.1 by tiles or by patches, depending on where one reads.
- Gemini, 258 for each crop of a photo, of which there are 6 at most.
"""

import math
import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from indexer.settings import Price

Detail = Literal["low", "high", "auto"]

PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o-mini": Price(input=0.15, output=0.60, image=2_833),
    "gpt-4o": Price(input=2.50, output=10.00, image=85),
    "gpt-4.1": Price(input=2.00, output=8.00, image=576),
    "gpt-4.1-mini": Price(input=0.40, output=1.60, image=934),
    "gpt-4.1-nano": Price(input=0.10, output=0.40, image=1_417),
    "gpt-5": Price(input=1.25, output=10.00, image=70),
    "gpt-5.1": Price(input=1.25, output=10.00, image=70),
    "gpt-5-mini": Price(input=0.25, output=2.00, image=934),
    "gpt-5-nano": Price(input=0.05, output=0.40, image=1_417),
    "o3": Price(input=2.00, output=8.00, image=75),
    "o4-mini": Price(input=1.10, output=4.40, image=991),
    "gemini-2.0-flash": Price(input=0.10, output=0.40, image=1_548),
    "gemini-2.0-flash-lite": Price(input=0.075, output=0.30, image=1_548),
    "gemini-2.5-flash": Price(input=0.30, output=2.50, image=1_548),
    "gemini-2.5-flash-lite": Price(input=0.10, output=0.40, image=1_548),
    "gemini-2.5-pro": Price(input=1.25, output=10.00, image=1_548),
}
FREE: Final = Price(input=0, output=0, image=0)

_VARIANT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{3}|latest|preview(-\d{2}-\d{2,4})?)$")
"""What vendors put behind a name for the same model at the same price: a date, a number, `latest`."""
_BYTES_PER_TOKEN = 3
"""Of UTF-8. English has four to five, and scripts that take three bytes a letter have about a letter."""
_FRAME = 20
"""Tokens around the messages of a call."""
_TILE = 512
_SHORT, _LONG = 768, 2_048
"""Pixels that photos are scaled down to before they are cut into tiles."""
_MILLION = 1e6


def price_of(model: str, base_url: str | None, overrides: Mapping[str, Price]) -> Price:
    """The settings' own price, else the table's, where a vendor in front (`openai/…`) or a date behind the name changes
    nothing. A model that is in neither costs nothing on one's own machines, which have a private address or a name
    without a domain, and elsewhere the dearest price of the table: to have it known is what `budget.prices` is for.
    """
    for known in (overrides, PRICES):
        if (name := name_in(known, model)) is not None:
            return known[name]
    if base_url is not None and is_own(base_url):
        return FREE
    return max(PRICES.values(), key=lambda price: estimate(price, 1_000, 2, "low", 100))


def name_in(known: Collection[str], model: str) -> str | None:
    """What a model is called there, also without the vendor in front and the date behind."""
    bare = _VARIANT.sub("", model.rpartition("/")[2].casefold())
    return next((name for name in (model, bare) if name in known), None)


def estimate(
    price: Price, text_bytes: int, images: int, detail: Detail, output_tokens: int, side: int = _SHORT
) -> float:
    """Dollars that a call costs at most: `text_bytes` of UTF-8, photos of `side` × `side` pixels, and all the tokens
    that its answer may have. For models that bill patches, `high` is some times what they take.
    """
    tokens = _FRAME + math.ceil(text_bytes / _BYTES_PER_TOKEN) + images * _image_tokens(price.image, detail, side)
    return cost(price, tokens, output_tokens)


def cost(price: Price, tokens_in: int, tokens_out: int) -> float:
    """Dollars."""
    return (price.input * tokens_in + price.output * tokens_out) / _MILLION


def _image_tokens(low: int, detail: Detail, side: int) -> int:
    """`auto` may be `high`. A tile is billed as twice the low detail, of GPT-4o mini as one token more."""
    if detail == "low":
        return low
    tiles = math.ceil(min(side, _LONG) / _TILE) * math.ceil(min(side, _SHORT) / _TILE)
    return low + tiles * (2 * low + 1)


def is_own(base_url: str) -> bool:
    """Whether the address is one's own machine's: private, or a name without a domain."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".localhost", ".internal")))
    return address.is_private
