"""Towers as they are exported, against the towers themselves: by torch, which knows ONNX's attention too."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

from indexer.encoders import EncoderSettings, open_encoder
from indexer.encoders.exported.lean import lean_image, lean_text
from tests.indexer.encoders.tiny import CONFIGURATION, save_tiny


def tiny(directory: Path, vision: dict[str, Any] | None = None, text: dict[str, Any] | None = None) -> Any:
    """Of two layers in each tower."""
    configured = deepcopy(CONFIGURATION)
    configured["model_cfg"]["vision_cfg"] |= {"layers": 2, "patch_size": 8, **(vision or {})}
    configured["model_cfg"]["text_cfg"] |= {"layers": 2, **(text or {})}
    return open_encoder(EncoderSettings(name=str(save_tiny(directory, configuration=configured)), device="cpu"))


def photos(side: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (3, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "vision",
    [
        {},
        {"pool_type": "avg"},
        {"attentional_pool": True, "attn_pooler_queries": 4, "attn_pooler_heads": 2},
        {"ls_init_value": 0.1, "final_ln_after_pool": True},
        {"image_size": [16, 32]},
    ],
    ids=["class token", "average", "attention", "scaled layers", "wide photos"],
)
def test_photos_of_bytes_give_what_normalised_ones_give(vision: dict[str, Any], tmp_path: Path) -> None:
    encoder = tiny(tmp_path, vision)
    lean = lean_image(encoder.model.visual, (encoder.mean, encoder.std))
    given = photos()[:, : encoder.spec.fit.size[0]]
    normal = (given.permute(0, 3, 1, 2) / 255.0 - encoder.mean) / encoder.std

    assert lean is not None
    torch.testing.assert_close(lean(given), encoder.model.visual(normal), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("vision", [{"image_size": 36}, {"block_type": "custom"}, {"timm_model_name": "test_resnet"}])
def test_a_tower_that_is_not_known_is_left_to_torch(vision: dict[str, Any], tmp_path: Path) -> None:
    encoder = tiny(tmp_path, vision)

    assert lean_image(encoder.model.visual, (encoder.mean, encoder.std)) is None


@pytest.mark.parametrize("length", [2, 7, 16])
def test_texts_of_any_length_give_what_they_gave(length: int, tmp_path: Path) -> None:
    encoder = tiny(tmp_path, text={"ls_init_value": 0.1})
    tokens = torch.randint(1, 500, (3, length), generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(lean_text(encoder.causal)(tokens), encoder.causal(tokens), rtol=1e-4, atol=1e-4)


def test_the_towers_themselves_stay_and_their_weights_are_not_doubled(tmp_path: Path) -> None:
    encoder = tiny(tmp_path)
    normal = torch.zeros((1, 3, 32, 32))
    before = encoder.model.visual(normal)
    lean = lean_image(encoder.model.visual, (encoder.mean, encoder.std))

    assert lean is not None
    assert torch.equal(encoder.model.visual(normal), before)
    shared = {weight.data_ptr() for weight in encoder.model.visual.parameters()}
    assert sum(weight.data_ptr() in shared for weight in lean.parameters()) > len(shared) / 2
