"""How many requests one key or one address may make in a time: counted in this process, or in Redis by all of them."""

from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

from indexer.errors import RateExceeded
from indexer.operating_settings import AccessSettings
from service.access import LOCAL, NOBODY, Caller
from service.api.counting import Counts, OwnCounts, Rate

TRIES: Final = Rate(10, "minute")
"""Keys that turn out to open nothing, and sign-ins, of one address."""
NETWORK_BITS: Final = 64
"""Of an IPv6 address: one household or server has at least all addresses of a /64, and could ask from each."""
_SAID: Final = {"address": "address", "key": "key", "sign-in": "address that tries keys"}


class Counted(Protocol):
    """Who counts what is refused and what fails."""

    def rate_limited(self, by: str) -> None: ...

    def breaker(self, name: str, state: int) -> None: ...

    def fault(self, dependency: str, kind: str) -> None: ...


class Rates:
    def __init__(self, settings: AccessSettings, metrics: Callable[[], Counted]) -> None:
        """`metrics` is asked once requests come. Raises SettingsError for a Redis that cannot be used at all."""
        self._per_key, self._per_address = Rate.parse(settings.per_key), Rate.parse(settings.per_address)
        self._metrics = metrics
        redis = settings.redis
        self._counts: Counts = OwnCounts() if redis is None else _shared_counts(redis.get_secret_value(), metrics)

    async def take(self, caller: Caller, address: str) -> None:
        """Raises RateExceeded. This machine's own commands are not counted."""
        if caller == NOBODY:
            await self._take(self._per_address, "address", address)
        elif caller != LOCAL:
            await self._take(self._per_key, "key", caller.key)

    async def tried(self, address: str) -> None:
        """Somebody tried a key. Raises RateExceeded."""
        await self._take(TRIES, "sign-in", address)

    async def close(self) -> None:
        await self._counts.close()

    async def _take(self, rate: Rate, by: str, who: str) -> None:
        seconds = await self._counts.take(rate, f"{by}:{who}")
        if seconds is not None:
            self._metrics().rate_limited(by)
            raise RateExceeded(f"More than {rate.amount} per {rate.unit} of one {_SAID[by]}.", seconds)


def _shared_counts(url: str, metrics: Callable[[], Counted]) -> Counts:
    from service.api.counting_together import SharedCounts  # limits takes a moment to import

    return SharedCounts(url, metrics)


def whose(address: str | None) -> str:
    """What is counted together: an IPv4 address, or the network that an IPv6 address is in."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((int(parsed) >> NETWORK_BITS << NETWORK_BITS, NETWORK_BITS)))
    return str(parsed)
