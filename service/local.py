"""Searching from a command: through the running service when there is one, else by opening the store oneself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from indexer.errors import InputError
from indexer.settings import Settings
from service.address import running

if TYPE_CHECKING:
    from service.ask.documents import AskRequest, Event
    from service.draw.documents import DrawRequest, Pictures
    from service.request import SearchRequest
    from service.search.answer import Answer


class Searching(Protocol):
    def search(
        self, request: "SearchRequest", photo: bytes | None = None, further: Sequence[bytes] = ()
    ) -> "Answer": ...

    def ask(self, request: "AskRequest") -> "Iterator[Event]": ...

    def draw(self, request: "DrawRequest", photo: bytes | None = None) -> "Pictures": ...

    def png(self, picture_id: str) -> bytes: ...


def drawn_for(answer: "Answer", shop: Searching) -> bytes | None:
    """The file of the first picture that was generated for it, where one was and could be kept."""
    if not answer.generated:
        return None
    try:
        return shop.png(answer.generated[0].id)
    except InputError:
        return None


@contextmanager
def open_search(settings: Settings) -> Iterator[Searching]:
    service = running(settings.home)
    if service is not None:
        from service.client import RemoteShop

        yield RemoteShop(service.url, service.secret)
        return
    from service.bootstrap import open_shop

    with open_shop(settings) as shop:
        yield shop
