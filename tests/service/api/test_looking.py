"""Looks that are shared by all who ask at about the same time."""

import asyncio
import threading
import time

import pytest

from indexer.errors import NothingPublished
from service.api.looking import SharedLook


@pytest.fixture(autouse=True)
def _believed_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has other work, a second is over before it is noticed."""
    monkeypatch.setattr("service.api.looking.SECONDS", 60.0)


def test_all_who_ask_within_a_second_share_one_look_and_later_ones_look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look() -> dict[str, str]:
        looks.append(1)
        time.sleep(0.02)
        return {"shop": str(len(looks))}

    async def ask() -> None:
        shared = SharedLook()
        assert await asyncio.gather(*(shared.seen(look) for _ in range(20))) == [{"shop": "1"}] * 20
        assert await shared.seen(look) == {"shop": "1"}

    async def ask_later() -> None:
        shared = SharedLook()
        assert await shared.seen(look) == {"shop": "2"}
        await asyncio.sleep(0.05)
        assert await shared.seen(look) == {"shop": "3"}

    asyncio.run(ask())
    monkeypatch.setattr("service.api.looking.SECONDS", 0.02)
    asyncio.run(ask_later())


def test_what_keeps_it_from_answering_is_shared_too() -> None:
    looks: list[int] = []

    def look() -> dict[str, str]:
        looks.append(1)
        raise NothingPublished("Nothing is published yet.")

    async def ask() -> None:
        shared = SharedLook()
        for _ in range(3):
            with pytest.raises(NothingPublished):
                await shared.seen(look)

    asyncio.run(ask())
    assert looks == [1]


def test_a_look_goes_on_for_the_others_when_one_leaves() -> None:
    may = threading.Event()

    def look() -> dict[str, str]:
        assert may.wait(60)
        return {}

    async def ask() -> None:
        shared = SharedLook()
        first, second = (asyncio.ensure_future(shared.seen(look)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        may.set()
        assert await second == {}
        assert first.cancelled()

    asyncio.run(ask())
