"""Photos that requests name by their address: off unless the settings say so, and never a way to look around.

Whoever asks learns whether the photo was had. Why not, they learn only as far as it can be seen from outside anyway:
an address that leads inwards, a name that nobody has and a host that does not answer are told in the same words.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from indexer.errors import FetchFailed, ImageRejected, Overloaded, QueryError
from indexer.images.fetch import Fetcher
from indexer.images.reasons import Reason, rejected
from indexer.settings import Settings
from service.deadline import Deadline

AT_ONCE: Final = 2
"""Fetches under way: whoever waits for a slow host takes up a search's place meanwhile, and may not take them all."""
TOLD: Final = frozenset({Reason.TOO_LARGE_BYTES, Reason.NOT_HTTPS})
Watch = Callable[[str, str], None]
"""Told that something outside failed: what, and how."""


class PhotoUrls:
    """Thread-safe. Without a fetcher every address is refused."""

    def __init__(self, fetcher: Fetcher | None, watch: Watch) -> None:
        self._fetcher = fetcher
        self._watch = watch
        self._places = threading.BoundedSemaphore(AT_ONCE)

    @classmethod
    def of(cls, settings: Settings, watch: Watch) -> Self:
        search = settings.search
        if not search.urls:
            return cls(None, watch)
        return cls(Fetcher(settings.images.max_bytes, search.url_seconds, hosts=search.url_hosts), watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()

    def photo(self, url: str, deadline: Deadline) -> bytes:
        """The file, whatever it is.

        Raises QueryError where photos are not fetched, ImageRejected for one that cannot be had, Overloaded while
        others are being fetched, TooLate.
        """
        if self._fetcher is None:
            raise QueryError(
                "photo_url: this service fetches no photos; upload the photo instead, or have its operator set "
                "search.urls (VITRINE_SEARCH__URLS=true)."
            )
        deadline.demand("fetch")
        if not self._places.acquire(blocking=False):
            raise Overloaded("Other photos are being fetched; try again in a moment, or upload the photo.", 1.0)
        try:
            return self._fetcher.fetch(url, deadline.left())
        except (ImageRejected, FetchFailed) as error:
            raise self._refused(error) from error
        finally:
            self._places.release()

    def _refused(self, error: ImageRejected | FetchFailed) -> ImageRejected:
        reason = error.reason if isinstance(error, ImageRejected) else Reason.FETCH_FAILED
        self._watch("photo_url", reason)
        if isinstance(error, ImageRejected) and reason in TOLD:
            return ImageRejected(reason, f"photo_url: the photo is refused ({reason}): {error.detail}.")
        return rejected(
            Reason.FETCH_FAILED,
            f"photo_url: the photo is refused ({Reason.FETCH_FAILED}): it could not be fetched. Its address must be a "
            "public one that this service takes photos from, and answer with the picture itself; or upload the photo.",
        )
