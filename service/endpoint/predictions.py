"""Models at Replicate, over the vendor's client. What it and they send is taken for hostile."""

import asyncio
import math
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import httpx

from indexer.errors import SettingsError
from service.endpoint.answers import EndpointFailed, other_form
from service.endpoint.background import Background
from service.endpoint.bodies import demand, whole
from service.endpoint.connecting import usable_key, usable_url
from service.endpoint.trying import Status, deadline, demand_success, tried

if TYPE_CHECKING:
    from replicate.client import Client
    from replicate.prediction import Prediction

T = TypeVar("T")

_REPLICATE: Final = "https://api.replicate.com"
_BODY = 25_000_000
"""Bytes of an answer that are read; small pictures may be in them, and the photo that was sent comes back."""
_AT_ONCE = 4
"""Predictions of one model; the others wait, within their deadlines."""
_TRIES = 4
_PATIENCE = 30.0
"""Seconds; a picture that was not there after less says nothing of the model."""
_POLL, _SLOWEST_POLL = 0.1, 1.0
"""Seconds before the first look at a prediction, and between later ones, which become rarer."""
_FAREWELL = 2.0
"""Seconds for calling off what is wanted no more."""
_LEAST_DEADLINE = 5
"""Seconds that Replicate takes for one at least."""
_BROKEN = (httpx.HTTPError, OSError)
_MODEL = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?::(?P<version>[0-9a-f]{64}))?", re.ASCII)
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_FLAGGED = re.compile(r"nsfw|flagged|sensitive|safety|content policy|moderat", re.IGNORECASE)
"""How models say that they do not draw this."""


@dataclass(frozen=True, slots=True)
class ModelName:
    """`version` is '' where the newest is meant, which only some models have."""

    name: str
    version: str

    @classmethod
    def of(cls, model: str, setting: str) -> "ModelName":
        """Raises SettingsError."""
        found = _MODEL.fullmatch(model)
        if found is None:
            raise SettingsError(f"{setting}.model is no model of Replicate's; write OWNER/NAME or OWNER/NAME:VERSION.")
        return cls(found["name"], found["version"] or "")


@dataclass(frozen=True, eq=False)
class Begun:
    """A prediction under way, at the client that knows its deadline."""

    client: "Client"
    first: "Prediction"


class Predictions:
    """One model. `begin` and `outcome` are awaited in what `run` runs, whose event loop the connections belong to.
    Thread-safe."""

    def __init__(self, base_url: str | None, api_key: str | None, model: str, *, setting: str) -> None:
        """Absent `base_url`: Replicate's own. Raises SettingsError, which names the section `setting`."""
        url = usable_url(_REPLICATE if base_url is None else base_url, setting)
        self._url = url.rstrip("/").removesuffix("/v1")
        self._key = usable_key(api_key, setting)
        self.host = httpx.URL(self._url).netloc.decode("ascii")
        self.model = ModelName.of(model, setting)
        self.room = asyncio.Semaphore(_AT_ONCE)
        """For predictions at the same time; to be held by whoever begins one, until it has ended."""
        self._connections = _Guarded()
        self._background = Background("predictions", self._end)
        self._farewells: set[asyncio.Task[None]] = set()
        self._demand_client()

    def run(self, work: Coroutine[object, object, T], until: float, unwanted: Callable[[], bool]) -> T:
        """What `work` returns or raises, or TimeoutError within 50 ms of a time of the monotonic clock, whatever
        happens inside; also after `close`. Raises Unwanted soon after `unwanted` says so. Not from within `work`."""
        return self._background.run(work, until, unwanted)

    def close(self) -> None:
        """What runs is cancelled, and called off."""
        self._background.close()

    async def begin(self, inputs: Mapping[str, str], until: float) -> Begun:
        """Raises EndpointFailed, by `until`. Whatever becomes of us, the prediction ends soon after `until`."""
        async with deadline(until, _BROKEN, _PATIENCE):
            client = self._client(until)
            first = await _asked(lambda: self._created(client, inputs), until)
            if _ID.fullmatch(first.id) is None:
                raise other_form()
            return Begun(client, first)

    async def outcome(self, begun: Begun, until: float) -> str:
        """The address of what came out, or a data URI; of several the first. Raises EndpointFailed, by `until`.

        A prediction that nobody waits for any more is called off.
        """
        last = None
        try:
            async with deadline(until, _BROKEN, _PATIENCE):
                last = await _ended(begun, until)
            return _output(last)
        finally:
            if last is None:
                farewell = asyncio.create_task(_call_off(begun))
                self._farewells.add(farewell)
                farewell.add_done_callback(self._farewells.discard)

    async def _end(self) -> None:
        await asyncio.gather(*self._farewells)
        await self._connections.aclose()

    def _created(self, client: "Client", inputs: Mapping[str, str]) -> "Awaitable[Prediction]":
        if self.model.version:
            return client.predictions.async_create(self.model.version, dict(inputs))
        return client.predictions.async_create(model=self.model.name, input=dict(inputs))

    def _client(self, until: float) -> "Client":
        """Nothing of it is left to the environment. Replicate is told when to give up, in case we cannot say so."""
        from replicate.client import Client

        seconds = max(_LEAST_DEADLINE, math.ceil(until - time.monotonic()))
        headers = {"Authorization": f"Bearer {self._key}", "Cancel-After": f"{seconds}s"}
        return Client(self._key, base_url=self._url, headers=headers, transport=self._connections)

    def _demand_client(self) -> None:
        """Raises SettingsError."""
        try:
            self._client(time.monotonic())
        except ImportError as error:
            raise SettingsError("Pictures of Replicate need its client: pip install 'vitrine[replicate]'.") from error
        except ValueError as error:
            raise SettingsError("REPLICATE_POLL_INTERVAL is no number of seconds; unset it.") from error


class _Guarded(httpx.AsyncBaseTransport):
    """Reads answers and errors before the vendor's client does, which reads all of them and tries again by itself."""

    def __init__(self) -> None:
        self._connections = httpx.AsyncHTTPTransport(verify=ssl.create_default_context())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Status, EndpointFailed."""
        request.headers["Accept-Encoding"] = "identity"
        reply = await self._connections.handle_async_request(request)
        try:
            await demand_success(reply)
            demand(reply, "application/json")
            body = await whole(reply, _BODY)
        finally:
            await reply.aclose()
        return httpx.Response(reply.status_code, headers={"Content-Type": "application/json"}, content=body)

    async def aclose(self) -> None:
        await self._connections.aclose()


async def _asked(attempt: "Callable[[], Awaitable[Prediction]]", until: float) -> "Prediction":
    """The vendor's client takes answers apart as if they were of the right form."""
    try:
        return await tried(attempt, until, _BROKEN, _TRIES)
    except (ValueError, TypeError, RecursionError):
        raise other_form() from None


async def _ended(begun: Begun, until: float) -> "Prediction":
    pause, last = _POLL, begun.first
    while last.status in ("starting", "processing"):
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, _SLOWEST_POLL)
        last = await _asked(lambda: begun.client.predictions.async_get(begun.first.id), until)
    return last


async def _call_off(begun: Begun) -> None:
    """What fails at this ends by its deadline."""
    with suppress(Status, EndpointFailed, ValueError, TypeError, RecursionError, TimeoutError, *_BROKEN):
        async with asyncio.timeout(_FAREWELL):
            await begun.client.predictions.async_cancel(begun.first.id)


def _output(last: "Prediction") -> str:
    """Raises EndpointFailed."""
    if last.status == "canceled":
        raise EndpointFailed("cut", "the prediction was called off", counts=False)
    if last.status == "failed" and _FLAGGED.search(last.error or ""):
        raise EndpointFailed("refused", "the model refused to draw this", counts=False)
    if last.status == "failed":
        raise EndpointFailed("cut", "the prediction failed", counts=False)
    output = last.output[0] if isinstance(last.output, list) and last.output else last.output
    if not isinstance(output, str):
        raise EndpointFailed("form", "the model's output is no picture", counts=False)
    return output
