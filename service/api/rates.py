"""How many requests one key or one address may make in a time: counted in this process, or in Redis by all of them."""

import asyncio
import logging
import time
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol
from urllib.parse import urlsplit

from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as SharedWindows
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter as OwnWindows

from indexer.breaker import Breaker, BreakerState
from indexer.errors import RateExceeded, SettingsError
from indexer.operating_settings import AccessSettings
from service.access import LOCAL, NOBODY, Caller

LOG: Final = logging.getLogger(__name__)
TRIES: Final = "10/minute"
"""Keys that turn out to open nothing, and sign-ins, of one address."""
SLOWEST: Final = 0.05
"""Seconds that Redis may take; later answers are of no use."""
REST_SECONDS: Final = 5.0
SCHEMES: Final = ("redis", "rediss", "unix", "redis+unix")
"""The last is what limits calls the third."""
NETWORK_BITS: Final = 64
"""Of an IPv6 address: one household or server has at least all addresses of a /64, and could ask from each."""


class Counted(Protocol):
    """Who counts what is refused and what fails."""

    def rate_limited(self, by: str) -> None: ...

    def breaker(self, name: str, state: int) -> None: ...

    def fault(self, dependency: str, kind: str) -> None: ...


class Counts(Protocol):
    async def take(self, rate: RateLimitItem, who: str) -> float | None:
        """Counts one more request; or, where that is more than the rate, the seconds until there is room for it."""
        ...

    async def close(self) -> None: ...


class Rates:
    def __init__(self, settings: AccessSettings, metrics: Callable[[], Counted]) -> None:
        """`metrics` is asked once requests come. Raises SettingsError for a Redis that cannot be used at all."""
        self._per_key, self._per_address = parse(settings.per_key), parse(settings.per_address)
        self._tries = parse(TRIES)
        self._metrics = metrics
        redis = settings.redis
        self._counts: Counts = OwnCounts() if redis is None else SharedCounts(redis.get_secret_value(), metrics)

    async def take(self, caller: Caller, address: str) -> None:
        """Raises RateExceeded. This machine's own commands are not counted."""
        if caller == NOBODY:
            await self._take(self._per_address, "address", address)
        elif caller != LOCAL:
            await self._take(self._per_key, "key", caller.key)

    async def tried(self, address: str) -> None:
        """Somebody tried a key. Raises RateExceeded."""
        await self._take(self._tries, "sign-in", address)

    async def close(self) -> None:
        await self._counts.close()

    async def _take(self, rate: RateLimitItem, by: str, who: str) -> None:
        seconds = await self._counts.take(rate, f"{by}:{who}")
        if seconds is not None:
            self._metrics().rate_limited(by)
            raise RateExceeded(f"More than {rate.amount} per {rate.GRANULARITY.name} of one {_SAID[by]}.", seconds)


_SAID: Final = {"address": "address", "key": "key", "sign-in": "address that tries keys"}


class OwnCounts:
    """In memory, for one process. A window slides: what was counted in the one before weighs less the older it is."""

    def __init__(self) -> None:
        self._windows = OwnWindows(MemoryStorage())

    async def take(self, rate: RateLimitItem, who: str) -> float | None:
        if self._windows.hit(rate, who):
            return None
        return self._windows.get_window_stats(rate, who).reset_time - time.time()

    async def close(self) -> None:
        pass


class SharedCounts:
    """In Redis; while that is away or slow, each process counts by itself."""

    def __init__(self, url: str, metrics: Callable[[], Counted]) -> None:
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
        self._windows = SharedWindows(storage)
        self._connections = storage.bridge.get_connection()  # type: ignore[attr-defined]  # redis-py's has it
        self._own = OwnCounts()
        self._metrics = metrics
        self._breaker = Breaker(failures=1, rest_seconds=REST_SECONDS, told=self._tell)

    async def take(self, rate: RateLimitItem, who: str) -> float | None:
        if not self._breaker.allows():
            return await self._own.take(rate, who)
        try:
            async with asyncio.timeout(SLOWEST):
                seconds = await self._shared(rate, who)
        except TimeoutError:
            return await self._without("slow", rate, who)
        except StorageError:
            return await self._without("refused", rate, who)
        self._breaker.succeeded()
        return seconds

    async def close(self) -> None:
        await self._connections.aclose()

    async def _shared(self, rate: RateLimitItem, who: str) -> float | None:
        if await self._windows.hit(rate, who):
            return None
        return (await self._windows.get_window_stats(rate, who)).reset_time - time.time()

    async def _without(self, kind: str, rate: RateLimitItem, who: str) -> float | None:
        self._metrics().fault("redis", kind)
        self._breaker.failed()
        return await self._own.take(rate, who)

    def _tell(self, state: BreakerState) -> None:
        self._metrics().breaker("redis", state)
        if state is BreakerState.OPEN:
            LOG.warning("Redis is away or slow: each process counts the rates of requests by itself meanwhile.")


def whose(address: str | None) -> str:
    """What is counted together: an IPv4 address, or the network that an IPv6 address is in."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> NETWORK_BITS << NETWORK_BITS, NETWORK_BITS)))
    return str(parsed)
