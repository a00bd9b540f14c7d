"""Random operations on a real ledger and a real store, and the same on plain dicts: every answer must agree.

OPERATIONS_SEED repeats a run; a failure says which seed it had and what was done last.
"""

import os
import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import randbelow
from typing import Final

import pytest

from indexer.images.decoders import DecoderPool
from indexer.settings import ImageSettings, Settings
from tests.contracts.life import Life
from tests.qdrant_server.wire import serving

SEED: Final = os.environ.get("OPERATIONS_SEED")
IMAGES: Final = ImageSettings(decoders=1, decode_seconds=120)
KINDS: Final = ("memory", "edge", "faiss", "qdrant")


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool.of(IMAGES) as pool:
        yield pool


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Of a store that keeps nothing else; qdrant is the client's local mode behind a wire."""
    kind = request.param
    with serving() as wire:
        qdrant = {"url": "http://127.0.0.1:1", "grpc_port": wire.port}
        store = {"kind": kind, "faiss": {"device": "cpu"}, "qdrant": qdrant}
        given = {"images": IMAGES, "attributes": {"enabled": False}, "store": store}
        yield Settings.model_validate({"home": tmp_path / "home", **given})


@pytest.mark.parametrize("settings", KINDS, indirect=True)
def test_random_operations_agree_with_plain_dicts(settings: Settings, tmp_path: Path, decoders: DecoderPool) -> None:
    live(settings, tmp_path, decoders, 150)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("settings", KINDS, indirect=True)
def test_twenty_thousand_random_operations_agree_with_plain_dicts(
    settings: Settings, tmp_path: Path, decoders: DecoderPool
) -> None:
    live(settings, tmp_path, decoders, 20_000)


def live(settings: Settings, folder: Path, decoders: DecoderPool, operations: int) -> None:
    seed = randbelow(1 << 32) if SEED is None else int(SEED)
    with closing(Life(settings, folder, decoders, random.Random(seed))) as life, telling(life, seed):
        for number in range(1, operations + 1):
            life.act(number)


@contextmanager
def telling(life: Life, seed: int) -> Iterator[None]:
    """Add to whatever goes wrong how to see it again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"OPERATIONS_SEED={seed} repeats this. The last operations:")
        error.add_note("\n".join(life.story))
        raise
