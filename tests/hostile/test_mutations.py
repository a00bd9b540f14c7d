"""Three thousand damaged pictures, the same ones every time: each is decoded, or refused for a named reason."""

import random
from collections.abc import Iterator

import pytest

from indexer.errors import ImageRejected
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.images.reasons import Reason
from tests.hostile.specimens.everything import FAMILIES, specimens
from tests.indexer.images.drawn import LIMITS, saved, scene

SPEC = Fit((32, 32))
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
EACH = 600
WORDS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\1", b"\xff\xfe")
"""Where readers of lengths go wrong."""


def damaged(original: bytes, dice: random.Random) -> bytes:
    """Some bytes are others, gone, or there twice."""
    content = bytearray(original)
    for _ in range(dice.randrange(1, 10)):
        place, length = dice.randrange(len(content)), dice.randrange(1, 40)
        match dice.randrange(5):
            case 0 | 1:
                content[place] = dice.randrange(256)
            case 2:
                content[place : place + 4] = dice.choice(WORDS)
            case 3:
                del content[place : place + length]
            case 4:
                content[place:place] = content[place : place + length]
        content = content or bytearray(b"\0")
    return bytes(content)


def mutants(image_format: str, count: int) -> Iterator[bytes]:
    dice = random.Random(f"{image_format} of shoppers")
    options: list[dict[str, object]] = [{}, {"lossless": True}] if image_format == "WEBP" else [{}]
    options = [{}, {"progressive": True}] if image_format == "JPEG" else options
    originals = [saved(scene(48, 32), image_format, **one) for one in options]
    for number in range(count):
        yield damaged(originals[number % len(originals)], dice)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderPool]:
    with DecoderPool(LIMITS, seconds=10, children=1) as pool:
        yield pool


def hold(decoders: DecoderPool, contents: Iterator[bytes]) -> int:
    """How many are refused; what is raised but a rejection ends the test."""
    refused = 0
    for _, outcome in decoders.map(DecodeTask(content, SPEC) for content in contents):
        if isinstance(outcome, ImageRejected):
            refused += 1
            assert outcome.reason in tuple(Reason)
            assert "crashed" not in outcome.detail
    return refused


@pytest.mark.parametrize("image_format", FORMATS)
def test_damaged_pictures(decoders: DecoderPool, image_format: str) -> None:
    assert 0 < hold(decoders, mutants(image_format, EACH)) < EACH


@pytest.mark.long
@pytest.mark.parametrize("image_format", FORMATS)
def test_many_more_damaged_pictures(decoders: DecoderPool, image_format: str) -> None:
    assert 0 < hold(decoders, mutants(image_format, 50 * EACH)) < 50 * EACH


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_damaged_odd_ones(decoders: DecoderPool, family: str) -> None:
    """What is odd to begin with, damaged on top."""
    dice = random.Random(family)
    small = [one.content for one in specimens(family) if 0 < len(one.content) < 100_000]
    hold(decoders, (damaged(content, dice) for content in small for _ in range(50)))
