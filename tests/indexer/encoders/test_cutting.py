"""Texts without their padding, on open_clip models of a few thousand parameters."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain import Matrix
from indexer.encoders import Encoder, EncoderSettings, open_encoder
from indexer.encoders.cutting import causal_text
from indexer.encoders.lengths import alike
from tests.indexer.encoders.tiny import CONFIGURATION, MERGES, save_tiny

CLOSE = 1e-5


def configuration(custom: bool = False, **text: object) -> dict[str, Any]:
    changed = deepcopy(CONFIGURATION)
    changed["model_cfg"]["custom_text"] = custom
    changed["model_cfg"]["text_cfg"] |= text
    return changed


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def encoder(tiny: Path) -> Encoder:
    return open_encoder(EncoderSettings(name=str(tiny), device="cpu", batch_size=3))


@pytest.fixture(scope="module")
def plain(tiny: Path) -> Any:
    """open_clip by itself, with every text at the context length."""
    model, *_ = open_clip.create_model_and_transforms(f"local-dir:{tiny}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tiny}", bpe_path=str(tiny / MERGES))

    def encode(texts: list[str]) -> Matrix:
        with torch.inference_mode():
            rows: Matrix = model.eval().encode_text(tokenizer(texts), normalize=True).numpy()
        return rows

    return encode


@given(st.lists(st.text(max_size=30) | st.text("red blu<end_of_text>", max_size=40), min_size=1, max_size=9))
@settings(max_examples=20, deadline=None)
def test_texts_of_any_length_are_encoded_as_with_all_their_padding(
    encoder: Encoder, plain: Any, texts: list[str]
) -> None:
    np.testing.assert_allclose(encoder.encode_texts(texts), plain(texts), atol=CLOSE)


@pytest.mark.parametrize(
    "configured",
    [
        configuration(),
        configuration(custom=True),
        configuration(custom=True, proj_bias=True, pool_type="eos", eos_id=516),
        configuration(custom=True, proj_type="none", width=24),
    ],
    ids=["CLIP", "of its own", "pooled at the end token", "without a projection"],
)
def test_a_causal_tower_gives_the_same_for_a_text_that_is_cut_at_its_end(
    configured: dict[str, Any], tmp_path: Path
) -> None:
    encoder: Any = open_encoder(str(save_tiny(tmp_path, configuration=configured)))
    tokens = encoder.tokenizer(["red mug", "a blue shoe"])
    longest = max(encoder.causal.lengths(tokens))
    with torch.inference_mode():
        whole, cut = encoder.model.encode_text(tokens), encoder.causal(tokens[:, :longest])

    assert longest < tokens.shape[1]
    np.testing.assert_allclose(cut, whole, atol=CLOSE)


@pytest.mark.parametrize(
    "configured",
    [
        configuration(no_causal_mask=True),
        configuration(custom=True, no_causal_mask=True, pool_type="last"),
        configuration(custom=True, pool_type="last"),
        configuration(custom=True, embed_cls=True),
    ],
    ids=["CLIP that sees ahead", "as SigLIP", "pooled at the last place", "as CoCa"],
)
def test_no_other_tower_is_cut(configured: dict[str, Any], tmp_path: Path) -> None:
    encoder: Any = open_encoder(str(save_tiny(tmp_path, configuration=configured)))
    with torch.inference_mode():
        features = encoder.model.encode_text(encoder.tokenizer(["red mug"]), normalize=True)

    assert causal_text(encoder.model) is None
    np.testing.assert_allclose(encoder.encode_texts(["red mug"]), features, atol=CLOSE)


@given(st.lists(st.integers(1, 77), max_size=40), st.integers(1, 9), st.sampled_from([8, 32, 77]))
def test_batches_hold_every_text_once_and_pad_none_by_a_step_or_more(lengths: list[int], batch: int, step: int) -> None:
    batches = list(alike(lengths, batch, 77, step))

    assert sorted(place for places, _ in batches for place in places) == list(range(len(lengths)))
    assert all(1 <= len(places) <= batch for places, _ in batches)
    assert all(0 <= length - lengths[place] < step and length <= 77 for places, length in batches for place in places)
