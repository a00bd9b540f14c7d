"""How often somebody asks, counted by all processes in one Redis."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Final, Protocol
from urllib.parse import urlsplit

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError

from indexer.breaker import Breaker, BreakerState
from indexer.errors import SettingsError
from service.api.counting import OwnCounts, Rate

LOG: Final = logging.getLogger(__name__)
SLOWEST: Final = 0.05
"""Seconds that Redis may take; later answers are of no use."""
REST_SECONDS: Final = 5.0
SCHEMES: Final = ("redis", "rediss", "unix", "redis+unix")
"""The last is what limits calls the third."""


class Watched(Protocol):
    """Who counts what fails."""

    def breaker(self, name: str, state: int) -> None: ...

    def fault(self, dependency: str, kind: str) -> None: ...


class SharedCounts:
    """In Redis; while that is away or slow, each process counts by itself."""

    def __init__(self, url: str, metrics: Callable[[], Watched]) -> None:
        if urlsplit(url).scheme not in SCHEMES:
            raise SettingsError("access.redis is no address of a Redis: redis://…, rediss://… or unix://….")
        try:
            storage = RedisStorage(
                f"async+{url if url.startswith('redis') else f'redis+{url}'}",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix="vitrine",
                socket_timeout=SLOWEST,
                socket_connect_timeout=SLOWEST,
            )
        except ConfigurationError as error:
            raise SettingsError("access.redis needs the extra redis: pip install 'vitrine[redis]'.") from error
        except ValueError as error:
            raise SettingsError("access.redis is no redis://host:port/number.") from error
        self._windows = SlidingWindowCounterRateLimiter(storage)
        self._connections = storage.bridge.get_connection()  # type: ignore[attr-defined]  # redis-py's has it
        self._own = OwnCounts()
        self._metrics = metrics
        self._breaker = Breaker(failures=1, rest_seconds=REST_SECONDS, told=self._tell)

    async def take(self, rate: Rate, who: str) -> float | None:
        if not self._breaker.allows():
            return await self._own.take(rate, who)
        try:
            async with asyncio.timeout(SLOWEST):
                seconds = await self._shared(_item(rate), who)
        except TimeoutError:
            return await self._without("slow", rate, who)
        except StorageError:
            return await self._without("refused", rate, who)
        self._breaker.succeeded()
        return seconds

    async def close(self) -> None:
        await self._connections.aclose()

    async def _shared(self, item: RateLimitItem, who: str) -> float | None:
        if await self._windows.hit(item, who):
            return None
        return (await self._windows.get_window_stats(item, who)).reset_time - time.time()

    async def _without(self, kind: str, rate: Rate, who: str) -> float | None:
        self._metrics().fault("redis", kind)
        self._breaker.failed()
        return await self._own.take(rate, who)

    def _tell(self, state: BreakerState) -> None:
        self._metrics().breaker("redis", state)
        if state is BreakerState.OPEN:
            LOG.warning("Redis is away or slow: each process counts the rates of requests by itself meanwhile.")


@cache
def _item(rate: Rate) -> RateLimitItem:
    return parse(str(rate))
