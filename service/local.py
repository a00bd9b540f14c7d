"""Searching from a command: through the running service when there is one, else by opening the store oneself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from indexer.settings import Settings
from service.address import running_service
from service.ask.documents import AskRequest, Event
from service.bootstrap import open_shop
from service.client import RemoteShop
from service.request import SearchRequest
from service.search.answer import Answer


class Searching(Protocol):
    def search(self, request: SearchRequest, photo: bytes | None = None, further: Sequence[bytes] = ()) -> Answer: ...

    def ask(self, request: AskRequest) -> Iterator[Event]: ...


@contextmanager
def open_search(settings: Settings) -> Iterator[Searching]:
    url = running_service(settings.home)
    if url is not None:
        yield RemoteShop(url)
        return
    with open_shop(settings) as shop:
        yield shop
