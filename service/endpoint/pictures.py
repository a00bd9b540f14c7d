"""Endpoints that speak OpenAI's images, over the vendor's client. What they send is taken for hostile."""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from service.endpoint.answers import MOST_TOKENS, EndpointFailed, other_form
from service.endpoint.background import Background
from service.endpoint.bodies import demand, whole
from service.endpoint.connecting import PLAIN, client_of, unreachable
from service.endpoint.requests import sendable
from service.endpoint.trying import Status, Understanding, deadline, tried
from service.tracing import span

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

_BODY = 25_000_000
"""Bytes of an answer that are read: eight pictures as base64, of 2 MB each."""
_AT_ONCE = 4
"""Requests to one endpoint; the others wait, within their deadlines."""
_TRIES = 4
_PATIENCE = 30.0
"""Seconds; a picture that was not there after less says nothing of the endpoint."""

Extra = Literal["quality", "size", "output_format", "response_format"]
Extras = frozenset[Extra]
_NAMES: Final[Mapping[Extra, str]] = {
    "quality": "quality",
    "size": "size",
    "output_format": "output_format",
    "response_format": "response_format",
}
"""What a request can do without → how an error names it."""
_REFUSALS = frozenset({"moderation_blocked", "content_policy_violation", "content_filter", "content_safety_violation"})
"""Codes of errors that are about what is asked for: OpenAI's, Azure's, and those of gateways to them."""
_ALWAYS_BASE64 = ("gpt-image", "chatgpt-image")
"""Models that send no addresses, and refuse to be asked not to."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """`number` pictures by one prompt; `size` is (width, height). With a `reference`, a PNG, it is edited, only where
    the `mask`, a PNG of its size, is transparent."""

    prompt: str
    number: int
    size: tuple[int, int]
    quality: str
    reference: bytes | None = None
    mask: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture's file, as the endpoint sent it, and the prompt that it made of the one it was given, '' where it tells
    none."""

    file: bytes
    revised: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """`tokens` in and out, where the endpoint tells them."""

    pictures: tuple[Sent, ...]
    tokens: tuple[int, int] | None


class _Item(BaseModel):
    b64_json: str | None = None
    revised_prompt: str | None = None


class _Usage(BaseModel):
    input_tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS)]
    output_tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS)]


class _Answer(BaseModel):
    data: Annotated[list[_Item], Field(min_length=1)]
    usage: object = None


class _Code(BaseModel):
    code: str | None = None


class _Error(BaseModel):
    error: _Code


class PictureEndpoint:
    """One model at one address. `draw` is awaited in what `run` runs, whose event loop the connections belong to. What
    the endpoint does not understand of a request is left out from then on. Thread-safe.
    """

    def __init__(self, base_url: str | None, api_key: str | None, model: str, *, setting: str) -> None:
        """Absent `base_url`: OpenAI's own. Raises SettingsError, which names the section `setting`, for an address, a
        key or a proxy that cannot be used."""
        self._model = model
        client = client_of(base_url, api_key, setting)
        self.host = client.base_url.netloc.decode("ascii")
        self._images = client.images.with_streaming_response
        self._background = Background("pictures", client.close)
        self._understanding = Understanding(_NAMES)
        self._room = asyncio.Semaphore(_AT_ONCE)

    def run(self, work: Coroutine[object, object, T], until: float, unwanted: Callable[[], bool]) -> T:
        """What `work` returns or raises, or TimeoutError within 50 ms of a time of the monotonic clock, whatever
        happens inside; also after `close`. Raises Unwanted soon after `unwanted` says so. Not from within `work`."""
        return self._background.run(work, until, unwanted)

    def close(self) -> None:
        """What runs is cancelled."""
        self._background.close()

    async def draw(self, ordered: Ordered, until: float) -> Delivery:
        """As many pictures as were ordered. Raises EndpointFailed, by `until`. It is tried again where that may help
        and can be waited for."""

        def sent(unknown: Extras) -> Extras:
            return self._extras() - unknown

        async def delivered(extras: Extras) -> Delivery:
            async with self._posted(ordered, extras) as reply:
                demand(reply, "application/json")
                return _delivery(await whole(reply, _BODY), ordered.number)

        with span("endpoint pictures", model=self._model):
            async with deadline(until, unreachable(), _PATIENCE), self._room:
                return await tried(
                    lambda: self._understanding.understood(sent, delivered), until, unreachable(), _TRIES
                )

    def _extras(self) -> Extras:
        """What is asked for at first: of GPT Image a file that is soon there, of others that it is no address."""
        own = self._model.rpartition("/")[2].startswith(_ALWAYS_BASE64)
        return frozenset({"quality", "size", "output_format"} if own else {"quality", "size", "response_format"})

    @asynccontextmanager
    async def _posted(self, ordered: Ordered, extras: Extras) -> AsyncIterator["httpx2.Response"]:
        """An answer whose body is still to be read."""
        from openai import omit

        common: dict[str, object] = _options(ordered, extras)
        prompt = sendable(ordered.prompt)
        if ordered.reference is None:
            asking = self._images.generate(model=self._model, prompt=prompt, extra_body=common, extra_headers=PLAIN)
        else:
            asking = self._images.edit(
                model=self._model,
                prompt=prompt,
                image=("reference.png", ordered.reference, "image/png"),
                mask=("mask.png", ordered.mask, "image/png") if ordered.mask else omit,
                extra_body=common,
                extra_headers=PLAIN,
            )
        try:
            async with asking as reply:
                yield reply.http_response
        except Status as failure:
            if _refuses(failure.said):
                said = "the endpoint refused to draw this"
                raise EndpointFailed("refused", said, counts=False, spent=(0, 0)) from None
            raise


def _options(ordered: Ordered, extras: Extras) -> dict[str, object]:
    """What a request holds beside the model, the prompt and the files. JPEGs are there sooner than PNGs, and a fifth as
    large."""
    width, height = ordered.size
    known: dict[Extra, object] = {
        "quality": ordered.quality,
        "size": f"{width}x{height}",
        "output_format": "jpeg",
        "response_format": "b64_json",
    }
    number = {"n": ordered.number} if ordered.number > 1 else {}
    return {**{name: known[name] for name in sorted(extras)}, **number}


def _delivery(body: bytes, number: int) -> Delivery:
    """Of more pictures than were ordered the first. Raises EndpointFailed."""
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        raise other_form() from None
    spent = _tokens(answer.usage)
    if len(answer.data) < number:
        raise EndpointFailed("form", "the endpoint sent fewer pictures than asked for", counts=False, spent=spent)
    return Delivery(tuple(_sent(item, spent) for item in answer.data[:number]), spent)


def _sent(item: _Item, spent: tuple[int, int] | None) -> Sent:
    """Addresses are not followed: they may lead anywhere, and every endpoint can send the picture itself."""
    if item.b64_json is None:
        said = "the endpoint sent no picture, or only the address of one"
        raise EndpointFailed("form", said, counts=False, spent=spent)
    try:
        return Sent(base64.b64decode(item.b64_json, validate=True), item.revised_prompt or "")
    except (binascii.Error, ValueError):
        raise EndpointFailed("form", "the endpoint sent no base64", counts=True, spent=spent) from None


def _tokens(usage: object) -> tuple[int, int] | None:
    try:
        read = _Usage.model_validate(usage)
    except ValidationError:
        return None
    return read.input_tokens, read.output_tokens


def _refuses(said: str) -> bool:
    """Whether an error is about what is asked for, by its code; what it repeats of the request says nothing."""
    try:
        return _Error.model_validate_json(said).error.code in _REFUSALS
    except ValidationError:
        return False
