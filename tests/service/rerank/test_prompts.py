import time
from pathlib import Path

import numpy as np
import pytest

from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.shelves import DirectoryShelf
from service.rerank.prompts import CachedPrompts
from tests.fakes import FakeEncoder

PROMPTS = ("a photo of a mug", "a mug")


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def encoded(tmp_path: Path, encoder: FakeEncoder) -> Path:
    """A home whose builds encoded the prompts."""
    texts = Embeddings(tmp_path, encoder.spec.identity).texts
    texts.put([text_key(prompt) for prompt in PROMPTS], encoder.encode_texts(PROMPTS))
    return tmp_path


def test_what_a_build_encoded_is_known(encoded: Path, encoder: FakeEncoder) -> None:
    found = CachedPrompts(encoded).of(encoder.spec.identity, PROMPTS)
    assert found is not None
    np.testing.assert_allclose(found, encoder.encode_texts(PROMPTS), atol=2e-3)


@pytest.mark.parametrize(("url", "prompts"), [(None, ("a jug",)), ("s3://bucket/embeddings", PROMPTS)])
def test_nothing_is_known_in_part_or_from_afar(
    encoded: Path, encoder: FakeEncoder, url: str | None, prompts: tuple[str, ...]
) -> None:
    assert CachedPrompts(encoded, url).of(encoder.spec.identity, prompts) is None


def test_a_damaged_cache_is_none(encoded: Path, encoder: FakeEncoder) -> None:
    (segment,) = (path for path in (encoded / "embeddings").rglob("*") if path.is_file())
    segment.write_bytes(segment.read_bytes()[:40])
    assert CachedPrompts(encoded).of(encoder.spec.identity, PROMPTS) is None


def test_a_cache_that_a_build_holds_on_to_is_not_waited_for(encoded: Path, encoder: FakeEncoder) -> None:
    (folder,) = {path.parent for path in (encoded / "embeddings").rglob("*") if path.is_file()}
    prompts = CachedPrompts(encoded)
    started = time.monotonic()
    with DirectoryShelf(folder).alone():
        assert prompts.of(encoder.spec.identity, PROMPTS) is None
    assert time.monotonic() - started < 10
    assert prompts.of(encoder.spec.identity, PROMPTS) is not None
