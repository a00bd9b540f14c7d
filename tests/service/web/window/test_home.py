"""The ways in on the first page: made once, and waited for by one visitor only."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from indexer.domain import Matrix
from indexer.errors import UnavailableError
from indexer.settings import Settings
from service.shop import Shop
from service.web.window.home import Wall, Walls
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, open_fake_shop


@dataclass
class Gated(FakeEncoder):
    """Answers when it may; `broken`: not at all."""

    open: threading.Event = field(default_factory=threading.Event)
    broken: bool = False
    asked: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.asked.set()
        assert self.open.wait(10)
        if self.broken:
            raise UnavailableError("The encoder is away.")
        return super().encode_texts(texts)


@pytest.fixture
def encoder() -> Gated:
    return Gated()


@pytest.fixture
def shop(pages_settings: Settings, encoder: Gated) -> Iterator[Shop]:
    with open_fake_shop(pages_settings, lambda manifest: encoder) as shop:
        yield shop
        encoder.open.set()


def test_one_visitor_waits_for_it_and_nobody_else(shop: Shop, encoder: Gated) -> None:
    walls, made = Walls(), list[Wall]()
    first = threading.Thread(target=lambda: made.append(walls.of(shop, CATALOG)))
    first.start()
    assert encoder.asked.wait(10)
    assert walls.of(shop, CATALOG) == Wall()
    encoder.open.set()
    first.join(10)
    assert made[0].tiles
    assert walls.of(shop, CATALOG) is made[0]


def test_what_cannot_be_made_is_not_tried_again_at_once(shop: Shop, encoder: Gated) -> None:
    walls = Walls()
    encoder.broken = True
    encoder.open.set()
    assert walls.of(shop, CATALOG) == Wall()
    encoder.asked.clear()
    assert walls.of(shop, CATALOG) == Wall()
    assert not encoder.asked.is_set()
